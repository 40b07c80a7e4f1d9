"""Digests of the cleaned rows of a month of every era, which show when to raise ``CLEANING``.

The rows behind ``golden.json`` cover every cast and every rule. If the same rows and specification
give other results, ``CLEANING`` must be raised; otherwise stored months would wrongly count as up
to date. After that, or after a change of a specification or of the simulator, regenerate it:

    python -m taxi_assets_tests.cleaning.golden
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq

from taxi_assets.cleaning import CleanedMonth, clean_month, code_version, version
from taxi_assets.datasets import DATASETS, DatasetSpec
from taxi_assets.datasets.month import Month
from taxi_assets_tests.cleaning.golden_rows import published_months

GOLDEN = Path(__file__).with_name("golden.json")


@dataclass(frozen=True)
class Outcome:
    """Digests of the published and the cleaned rows of one month, and the code version."""

    input: str
    code_version: str
    output: str


@dataclass(frozen=True)
class Golden:
    """The outcomes by month, such as ``green 2024-01``, and the value of ``CLEANING``."""

    cleaning: int
    months: Mapping[str, Outcome]

    @classmethod
    def read(cls) -> Golden:
        stored = json.loads(GOLDEN.read_text())
        months = {name: Outcome(**each) for name, each in stored["months"].items()}
        return cls(stored["cleaning"], months)

    def write(self) -> None:
        GOLDEN.write_text(json.dumps(asdict(self), indent=1) + "\n")


def cleaned_now(*datasets: str) -> Golden:
    """The outcomes of those datasets with the current code."""
    with tempfile.TemporaryDirectory() as folder:
        return Golden(
            version.CLEANING,
            {
                name: _outcome(name, rows, Path(folder))
                for dataset in datasets or DATASETS
                for name, rows in published_months(dataset, Path(folder))
            },
        )


def objection(old: Golden, new: Golden) -> str | None:
    """Why ``new`` must not replace ``old``; None if it may.

    Only months with the same rows and specification are compared: for others, a different result
    does not show a change of the cleaning.
    """
    comparable = [
        name
        for name, was in old.months.items()
        if name in new.months
        and new.months[name].input == was.input
        and _code_version_at(old.cleaning, name) == was.code_version
    ]
    changed = [name for name in comparable if new.months[name].output != old.months[name].output]
    if changed and new.cleaning == old.cleaning:
        return (
            "The same rows and specification give other cleaned rows than before in "
            f"{', '.join(changed)}. If this is intended, raise CLEANING in "
            "taxi_assets/cleaning/version.py; stored months are then cleaned again."
        )
    if comparable and not changed and new.cleaning != old.cleaning:
        return (
            f"CLEANING in taxi_assets/cleaning/version.py is {new.cleaning} and was "
            f"{old.cleaning}, but the cleaned rows are the same as before. Set it back: every "
            "month of every lake would be cleaned again without need."
        )
    return None


def clean(name: str, rows: pa.Table, folder: Path) -> CleanedMonth:
    """Clean the published ``rows`` of the month called ``name``."""
    spec, month = _dataset_of(name), Month.parse(name.split()[1])
    source = folder / "published.parquet"
    pq.write_table(rows, source)
    return clean_month(spec, month, source, folder, source_file=spec.file_name(month))


def _dataset_of(name: str) -> DatasetSpec:
    return DATASETS[name.partition(" ")[0]]


def _outcome(name: str, rows: pa.Table, folder: Path) -> Outcome:
    cleaned = clean(name, rows, folder)
    parts = [pq.read_table(path, partitioning=None) for path in (cleaned.trips, cleaned.rejects)]
    return Outcome(_digest(rows), code_version(cleaned.spec), _digest(*parts))


def _digest(*tables: pa.Table) -> str:
    """A digest of the columns and values, independent of row order and file layout."""
    digest = hashlib.sha256()
    for table in tables:
        digest.update(repr([(field.name, str(field.type)) for field in table.schema]).encode())
        rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
        for row in sorted(map(repr, rows)):
            digest.update(row.encode())
    return digest.hexdigest()[:16]


def _code_version_at(cleaning: int, name: str) -> str:
    """The code version of the current specification with that value of ``CLEANING``."""
    with mock.patch.object(version, "CLEANING", cleaning):
        return code_version(_dataset_of(name))


def main() -> int:
    now = cleaned_now()
    refused = objection(Golden.read(), now) if GOLDEN.exists() else None
    if refused:
        sys.stderr.write(f"{GOLDEN.name} was not written. {refused}\n")
        return 1
    now.write()
    sys.stdout.write(f"wrote {GOLDEN}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
