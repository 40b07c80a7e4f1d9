"""The Terraform files, evaluated with variables and without a provider or an account.

Values that only Google knows, such as an address, are ``None``.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import tfparse

from taxi_assets_tests.deploy.files import DEPLOY

__all__ = ["FOLDER", "Resources", "evaluate", "key_of", "label_of"]

FOLDER = DEPLOY / "terraform"
Resources = dict[str, list[dict[str, Any]]]


def evaluate(folder: Path, **variables: str) -> Resources:
    """All blocks by kind, for those values of variables in Terraform's syntax.

    ``folder`` is for a copy of the files. Resources of a ``count`` or ``for_each`` are separate.
    """
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
    (folder / "test.tfvars").write_text(
        "".join(f"{name} = {value}\n" for name, value in variables.items())
    )
    found: Resources = tfparse.load_from_path(
        str(folder), stop_on_hcl_error=True, vars_paths=["test.tfvars"]
    )
    return found


def label_of(block: dict[str, Any]) -> str:
    """The name of a block, without module and key: ``runner`` of a service account."""
    return re.sub(r"\[.*\]$", "", str(block["__tfmeta"]["path"])).rpartition(".")[2]


def key_of(block: dict[str, Any]) -> str:
    """The key of a resource in its ``for_each``."""
    return str(block["__tfmeta"]["path"]).partition('["')[2].removesuffix('"]')
