"""Import modules that need one of the package's extras."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from taxi_assets.errors import Misconfigured

__all__ = ["load"]


def load(module: str, *, extra: str, wanted_by: str) -> ModuleType:
    """Import ``module``; raise ``Misconfigured`` naming ``extra`` when it is not installed.

    ``wanted_by`` starts the message, such as ``A lake on s3``.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise Misconfigured(
            f"{wanted_by} needs an extra ({error}).", f"Run pip install 'taxi-assets[{extra}]'."
        ) from error
