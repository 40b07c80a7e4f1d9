"""docs/datasets.md agrees with the specifications."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from taxi_assets.datasets import DATASETS, TAXI_ZONE_COLUMNS
from taxi_assets.datasets.document import render_document

PAGE = Path(__file__).resolve().parents[2] / "docs" / "datasets.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == render_document(), (
        "docs/datasets.md is stale; regenerate it:"
        " python -m taxi_assets.datasets > docs/datasets.md"
    )


def test_the_page_is_what_the_command_prints() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "taxi_assets.datasets"], capture_output=True, check=True
    )
    assert done.stdout.decode("utf-8") == render_document()


def test_the_page_names_every_column_published_name_and_rule() -> None:
    page = render_document()
    for spec in DATASETS.values():
        section = page.split(f"(`{spec.name}`)")[1].split("\n## ")[0]
        for column in spec.columns:
            assert f"| `{column.name}` |" in section
            assert all(f"`{name}`" in section for name in column.published_as)
        assert all(f"| `{rule.name}` |" in section for rule in spec.rules)
    assert all(f"| `{column.name}` |" in page for column in TAXI_ZONE_COLUMNS)


def test_the_page_lists_the_tables_of_the_columns_the_platform_adds() -> None:
    page = render_document()
    assert "| `source_month` | DATE | trips, rejects |" in page
    assert "| `reject_reasons` | STRING | rejects |" in page


def test_every_row_of_a_table_has_as_many_cells_as_its_header() -> None:
    width = 0
    for line in render_document().splitlines():
        cells = line.replace("\\|", "").count("|")
        if line.startswith(("| column", "| rule")):
            width = cells
        if line.startswith("|"):
            assert cells == width, line
