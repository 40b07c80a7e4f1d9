"""Everything that can be configured, run or seen is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from taxi_assets.cli import _parser
from taxi_assets.datasets.month import Month, months_between
from taxi_assets.definitions import defs
from taxi_assets.row_counts import packaged_counts
from taxi_assets_tests.documented import homework_shown

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
DOCS = "\n".join(page.read_text() for page in PAGES)


def names_of_assets() -> list[str]:
    return sorted({spec.key.path[-1] for spec in defs().resolve_all_asset_specs()})


@pytest.mark.parametrize("name", names_of_assets())
def test_every_asset_is_documented(name: str) -> None:
    assert re.search(rf"\b{name}\b", DOCS)


def make_targets() -> list[str]:
    text = (ROOT / "Makefile").read_text()
    return re.findall(r"^([a-z-]+):", text, re.M)


@pytest.mark.parametrize("target", make_targets())
def test_every_make_target_has_a_help_text_and_is_documented(target: str) -> None:
    assert re.search(rf"^{target}:.*## \w", (ROOT / "Makefile").read_text(), re.M)
    assert target == "help" or f"`make {target}" in DOCS


def test_every_command_is_documented() -> None:
    actions = [each for each in _parser()._actions if each.choices]
    for command in actions[0].choices or ():
        assert re.search(rf"(make|python -m taxi_assets) {command}\b", DOCS)


def links() -> list[tuple[Path, str]]:
    return [
        (page, target)
        for page in PAGES
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
        if "://" not in target
    ]


@pytest.mark.parametrize(
    ("page", "target"), links(), ids=[f"{page.name}-{target}" for page, target in links()]
)
def test_every_link_between_pages_exists(page: Path, target: str) -> None:
    assert (page.parent / target).exists()


def test_the_homeworks_counts_are_the_sums_of_the_packaged_ones() -> None:
    shown = homework_shown()
    assert len(shown) == 9
    for dataset, first, last, rows in shown:
        months = months_between(Month.parse(first), Month.parse(last))
        assert sum(packaged_counts()[dataset, each].rows for each in months) == rows
