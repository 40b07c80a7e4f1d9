"""Parses the values of settings. Errors name the variable; those of URLs never quote a value."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from taxi_assets.errors import Misconfigured

__all__ = [
    "default_home",
    "file_path",
    "folder_path",
    "mail_address",
    "memory_limit",
    "require_url",
    "whole_number",
]

_HOME: Final = ".taxi"

# DuckDB reads more, but takes a negative number for no limit at all.
_MEMORY: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT])(I?)B?", re.IGNORECASE)
_POWERS: Final = {"K": 1, "M": 2, "G": 3, "T": 4}
_LEAST_MEMORY: Final = 100 * 1000**2  # the largest months were cleaned with it
_MOST_MEMORY: Final = 1000 * 1000**4


def default_home() -> Path:
    """``.taxi`` in the checkout or, for an installed package, in the user's home folder.

    Raises ``Misconfigured`` if there is no home folder.
    """
    checkout = Path(__file__).resolve().parents[1]
    if (checkout / "pyproject.toml").is_file():
        return checkout / _HOME
    try:
        return Path.home() / _HOME
    except RuntimeError as error:
        raise Misconfigured("This user has no home folder.", "Set TAXI_HOME.") from error


def file_path(name: str, text: str) -> Path:
    """An absolute path: a relative one would change with the working directory."""
    path = Path(text)
    if not path.is_absolute() or "\0" in text:
        raise Misconfigured(
            f"{name} is {text!r}, which is not an absolute path.",
            "Set it to a path that begins with /.",
        )
    return path


def folder_path(name: str, text: str) -> Path:
    """The absolute path of a folder, which need not exist."""
    path = file_path(name, text)
    for each in (path, *path.parents):
        if each.exists() and not each.is_dir():
            raise Misconfigured(
                f"{name} is {text!r}, but {each} is not a folder.", "Set it to another folder."
            )
    return path


def whole_number(name: str, text: str, *, most: int) -> int:
    """A whole number from 1 to ``most``."""
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise Misconfigured(f"{name} is {text!r}.", f"Set it to a whole number from 1 to {most:,}.")
    return int(text)


def memory_limit(name: str, text: str) -> str:
    """A size that DuckDB accepts and can clean a month with."""
    match = _MEMORY.fullmatch(text.strip())
    size = 0.0
    if match:
        base = 1024 if match[3] else 1000
        size = float(match[1]) * base ** _POWERS[match[2].upper()]
    if not _LEAST_MEMORY <= size <= _MOST_MEMORY:
        raise Misconfigured(
            f"{name} is {text!r}.", "Set it to a size of at least 100MB, such as 512MB or 2GB."
        )
    return text.strip()


def require_url(name: str, text: str, *schemes: str) -> None:
    """Raise ``Misconfigured`` unless ``text`` is a URL with a host and one of ``schemes``."""
    try:
        parts = urlsplit(text)
        is_url = parts.scheme in schemes and parts.hostname and parts.port != 0
    except ValueError:  # its text quotes a part of the URL
        is_url = False
    if not is_url or not text.isprintable() or " " in text:
        raise Misconfigured(f"{name} is not a URL.", f"Set it to {schemes[0]}://host….") from None


def mail_address(name: str, text: str) -> str:
    """An e-mail address, in one line."""
    if "@" not in text.strip("@") or not text.isprintable():
        raise Misconfigured(f"{name} has {text!r}, which is not an e-mail address.", "Correct it.")
    return text
