"""The package uses only public names of Dagster, which an upgrade does not remove."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import taxi_assets

PACKAGE = Path(taxi_assets.__file__).parent
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("module", MODULES)
def test_no_private_name_of_dagster_is_used(module: str) -> None:
    tree = ast.parse((PACKAGE / module).read_text("utf-8"))
    assert list(_private(tree)) == []


@pytest.mark.parametrize(
    "line",
    [
        "import dagster._core.definitions",
        "import dagster._check as check",
        "from dagster._core.definitions import metadata",
        "from dagster import _check",
        "from dagster_gcp._utils import anything",
        "from dagster_shared import _private",
        "import dagster as dg; dg._core",
        "import dagster; dagster._utils.anything",
        "import dagster_gcp; dagster_gcp.gcs._anything",
        "if True:\n def f():\n  from dagster._core import x",
    ],
)
def test_a_private_name_is_found(line: str) -> None:
    assert list(_private(ast.parse(line))) != []


@pytest.mark.parametrize(
    "line",
    [
        "import dagster as dg; dg.asset; dg.DagsterInstance.get()",
        "from dagster_gcp import GCSResource",
        "from taxi_assets.cleaning import _anything",
        "import dagster as dg; self._anything; dg.__version__",
    ],
)
def test_a_public_name_is_not(line: str) -> None:
    assert list(_private(ast.parse(line))) == []


def _private(tree: ast.Module) -> Iterator[str]:
    """The private names of Dagster's packages that a module imports or reads."""
    names = {"dagster"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                if _is_dagsters(each.name):
                    names.add(each.asname or each.name.partition(".")[0])
                    yield from _underscored(each.name)
        elif isinstance(node, ast.ImportFrom) and node.module and _is_dagsters(node.module):
            for each in node.names:
                yield from _underscored(f"{node.module}.{each.name}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            path = ast.unparse(node)
            if path.partition(".")[0] in names:
                yield from _underscored(path)


def _is_dagsters(module: str) -> bool:
    package = module.partition(".")[0]
    return package == "dagster" or package.startswith("dagster_")


def _underscored(path: str) -> Iterator[str]:
    parts = path.split(".")
    if any(part.startswith("_") and not part.startswith("__") for part in parts):
        yield path
