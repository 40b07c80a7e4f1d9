"""Parts that only some installations have: the package's extras.

Importing one, or saying how to install it; what it is for is its caller's.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from taxi_assets.errors import Misconfigured


def load(module: str, *, extra: str, wanted_by: str) -> ModuleType:
    """Import ``module``; raise ``Misconfigured`` naming ``extra`` when it is not installed.

    ``wanted_by`` begins the sentence, such as ``A lake on s3``.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise Misconfigured(
            f"{wanted_by} needs an extra ({error}).", f"pip install 'taxi-assets[{extra}]'."
        ) from error
