"""The versions of one month that take turns in every fault, and what their rows must be.

No row of one is in another, and all have rejects, so that any mixture shows in the rows.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from taxi_assets.cleaning import clean_month
from taxi_assets.datasets import DATASETS, Month
from taxi_assets.simulator.publisher import publish_month, publish_zones, trip_file
from taxi_assets_tests.emulators.server import answers_http, free_port, serving

__all__ = [
    "MONTH",
    "SPEC",
    "Rows",
    "Site",
    "Version",
    "rows_of",
    "rows_of_table",
    "serving_tlc",
    "versions",
]

SPEC, MONTH = DATASETS["green"], Month(2024, 1)

Rows = Counter[str]
"""A table's rows, each as a digest of its values."""

# Far enough apart for a row count to tell them, too close for one to count as a shrunken month.
_ROWS = {"A": 600, "B": 450, "C": 520}
_REJECTS = 2


@dataclass(frozen=True, slots=True)
class Version:
    """A published file of the month, and its rows."""

    name: str
    file: Path
    trips: Rows
    rejects: Rows


class Site:
    """What a simulated TLC publishes; a change is one rename."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder, self.url = folder, url

    def publish(self, version: Version) -> None:
        """Publish that version of the month from now on."""
        path = trip_file(self._folder, SPEC.name, MONTH)
        new = path.with_name(f".{path.name}.new")
        shutil.copyfile(version.file, new)
        new.replace(path)


@contextmanager
def serving_tlc(folder: Path) -> Iterator[Site]:
    """A simulated TLC in a process of its own, so that this one stays without threads."""
    publish_zones(folder / "site")
    (folder / "site" / "trip-data").mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [sys.executable, "-m", "taxi_assets.simulator", "--folder", str(folder / "site")]
    with serving(
        [*command, "--port", str(port)],
        ready=lambda: answers_http(port, "/_requests"),
        folder=folder,
        environment={"PYTHONPATH": str(Path(__file__).parents[2])},
    ):
        yield Site(folder / "site", f"http://127.0.0.1:{port}")


def versions(folder: Path, seed: int) -> dict[str, Version]:
    """Generate the versions; runs DuckDB, so call it in a child."""
    made = {name: _version(folder, name, rows, seed) for name, rows in _ROWS.items()}
    for a, b in combinations(made.values(), 2):
        assert not a.trips & b.trips, "the versions share trips"
        assert not a.rejects & b.rejects, "the versions share rejects"
    return made


def rows_of(names: Sequence[str], rows: Sequence[Sequence[object]]) -> Rows:
    """Rows as digests that do not depend on the order of rows or columns, or on the store."""
    order = sorted(range(len(names)), key=lambda at: names[at])
    return Counter(
        hashlib.blake2b(
            "\x1f".join(_text(row[at]) for at in order).encode(), digest_size=9
        ).hexdigest()
        for row in rows
    )


def rows_of_table(table: pa.Table) -> Rows:
    """The rows of an Arrow table."""
    columns = [column.to_pylist() for column in table.columns]
    return rows_of(table.column_names, list(zip(*columns, strict=True)))


def _text(value: object) -> str:
    if isinstance(value, float):
        return repr(value + 0.0)
    return "" if value is None else str(value)


def _version(folder: Path, name: str, rows: int, seed: int) -> Version:
    own = len(_ROWS) * seed + [*_ROWS].index(name)
    file = publish_month(folder / name, SPEC.name, MONTH, rows=rows, seed=own)
    _spoil(file)
    made = clean_month(
        SPEC, MONTH, file, folder / f"{name}-clean", source_file=SPEC.file_name(MONTH)
    )
    trips = rows_of_table(pq.read_table(made.trips))
    rejects = rows_of_table(pq.read_table(made.rejects))
    assert rejects.total() >= _REJECTS
    assert trips.total() + rejects.total() == pq.read_metadata(file).num_rows == rows
    return Version(name, file, trips, rejects)


def _spoil(file: Path) -> None:
    """Give some rows pickups far from the month."""
    table = pq.read_table(file)
    at = table.column_names.index("lpep_pickup_datetime")
    times = table.column(at).to_pylist()
    wrong = [time.replace(year=2002) for time in times[:_REJECTS]]
    column = pa.array(wrong + times[_REJECTS:], table.schema.field(at).type)
    pq.write_table(table.set_column(at, table.schema.field(at), column), file)
