"""The Dagster instance on one machine.

An instance is a folder, ``DAGSTER_HOME``, with a ``dagster.yaml``
(https://docs.dagster.io/deployment/oss/oss-instance-configuration). Add Dagster settings for a
laptop to this package's ``dagster.yaml``; those of a server are in ``deploy/``.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import dagster as dg

from taxi_assets.addresses import text_shown
from taxi_assets.errors import Misconfigured
from taxi_assets.settings import Settings
from taxi_assets.wording import one_line

__all__ = ["LOCATION", "WORKSPACE", "home_of", "opened", "prepared"]

# The code location's name in every workspace, deployment and run, by which the UI finds runs.
LOCATION: Final = "taxi_assets"

WORKSPACE: Final = Path(__file__).with_name("workspace.yaml")

_DAGSTER_HOME: Final = "DAGSTER_HOME"
_CONFIGURATION: Final = "dagster.yaml"
_SHIPPED: Final = Path(__file__).with_name(_CONFIGURATION)

# Downloads mostly wait for the network, so several run at once, but not too many for TLC's site.
_TLC_POOL, _TLC_DOWNLOADS = "tlc", 4


def prepared(settings: Settings) -> dg.DagsterInstance:
    """The instance in ``DAGSTER_HOME``, a context manager.

    If that variable is not set, or names it, the instance is ``dagster`` in the platform's home,
    which is created, and this package's ``dagster.yaml`` is written there each time. Any other
    folder is not changed. Raises ``Misconfigured`` for a folder that cannot be used.
    """
    settings.set_umask()
    own = settings.home / "dagster"
    home = _named_home(own) or own
    _create(own, configured=home == own)
    os.environ[_DAGSTER_HOME] = str(home)
    with _one_at_a_time(home):
        instance = opened(home)
        storage = instance.event_log_storage
        if home == own and _TLC_POOL not in {limit.name for limit in storage.get_pool_limits()}:
            storage.set_concurrency_slots(_TLC_POOL, _TLC_DOWNLOADS)
    return instance


def home_of(settings: Settings) -> tuple[Path, Path]:
    """The folder of the instance that ``prepared`` would open, and its ``dagster.yaml``.

    Neither need exist, except that this package's is used for the platform's own folder.
    """
    own = settings.home / "dagster"
    home = _named_home(own) or own
    return home, _SHIPPED if home == own else home / _CONFIGURATION


def _named_home(own: Path) -> Path | None:
    """The folder that the environment names, if it is usable."""
    named = os.environ.get(_DAGSTER_HOME)
    if not named:
        return None
    home = Path(named).expanduser()
    if not home.is_absolute():
        raise Misconfigured(
            f"{_DAGSTER_HOME} is {named!r}, which is not an absolute path.",
            f"Unset it, to use {own}, or set it to a path that begins with /.",
        )
    if home.resolve() == own.resolve():
        return own
    if not home.is_dir():
        what = "is not a folder" if home.exists() else "does not exist"
        raise Misconfigured(
            f"{_DAGSTER_HOME} is {named!r}, which {what}.", f"Unset it, to use {own}, or create it."
        )
    return home


def _create(own: Path, *, configured: bool) -> None:
    """Create the platform's home and, if it is ``configured``, Dagster's in it."""
    if configured and ("?" in str(own) or unquote(str(own)) != str(own)):
        raise Misconfigured(
            f"TAXI_HOME is {str(own.parent)!r}, and Dagster cannot store its records in a path "
            "with ?, or with % before two digits.",
            "Set it to another folder.",
        )
    try:
        own.parent.mkdir(parents=True, exist_ok=True)
        if configured:
            own.mkdir(mode=0o700, exist_ok=True)
            _configure(own / _CONFIGURATION)
    except OSError as error:
        raise Misconfigured(
            f"TAXI_HOME is {str(own.parent)!r}, and {error.filename} cannot be written: "
            f"{error.strerror}.",
            "Set it to a folder that you may write to.",
        ) from error


def _configure(path: Path) -> None:
    shipped = _SHIPPED.read_bytes()
    if path.is_file() and path.read_bytes() == shipped:
        return
    # Renamed, because running servers read it whenever they start a process.
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    temporary.write_bytes(shipped)
    temporary.replace(path)


@contextmanager
def _one_at_a_time(home: Path) -> Iterator[None]:
    """Two processes that set up Dagster's SQLite files at the same time would both fail."""
    folder = os.open(home, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def opened(home: Path, folder: Path | None = None) -> dg.DagsterInstance:
    """The instance in ``DAGSTER_HOME``, or in ``folder``, with its storage open.

    Raises ``Misconfigured``, which names ``home``.
    """
    try:
        instance = (
            dg.DagsterInstance.from_config(str(folder)) if folder else dg.DagsterInstance.get()
        )
        instance.get_runs_count()  # opens the storage
        instance.event_log_storage.get_pool_limits()
        instance.all_instigator_state()
    except Exception as error:  # the storage is pluggable, and its errors have no common class
        # Of a database, Dagster's own error only says that it gave up.
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        reason = one_line(text_shown(str(cause).split("\n")[0]))
        raise Misconfigured(
            f"Dagster's records in {home} cannot be opened ({type(cause).__name__}: {reason}).",
            f"Correct its {_CONFIGURATION}, free the disk, or restore the folder from a backup.",
        ) from error
    return instance
