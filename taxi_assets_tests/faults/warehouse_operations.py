"""Loads and reads of a month in a warehouse that is not local."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from typing_extensions import override

from taxi_assets.lake.factory import open_store
from taxi_assets.lake.store import LakeObject, NewObject, sha256_of
from taxi_assets.warehouse.base import Load, Source, Warehouse
from taxi_assets.warehouse.factory import open_warehouse
from taxi_assets_tests.faults import warehouse_reader
from taxi_assets_tests.faults.judge import judge
from taxi_assets_tests.faults.lake_reader import create_bucket
from taxi_assets_tests.faults.months import MONTH, Version, rows_of_table
from taxi_assets_tests.faults.operation import Operation
from taxi_assets_tests.faults.stores import Place
from taxi_assets_tests.warehouse.months import REJECTS, TRIPS, parquet, trips

__all__ = ["WAREHOUSE_OPERATIONS"]


class _Load(Operation):
    """Load a month again, from a lake on GCS if there is one."""

    def __init__(self, place: Place, *, local: bool = False) -> None:
        super().__init__(place)
        self._direct = place.warehouse_url
        self._remote = not local and place.lake_url.startswith("gs:")
        self._loads: dict[str, list[Load]] = {}
        self._versions: dict[str, Version] = {}

    @override
    def prepare(self) -> None:
        warehouse_reader.create(self._direct)
        if self._remote:
            create_bucket(self.place.lake_url)
        for name, zones in (("old", [1, 2, 3]), ("new", [4, 5])):
            sources = [
                parquet(self.files / name, trips([zone + add for zone in zones]), table)
                for table, add in ((TRIPS, 0), (REJECTS, 10))
            ]
            rows = [rows_of_table(pq.ParquetFile(source.path()).read()) for source in sources]
            self._versions[name] = Version(name, Path(), *rows)
            self._loads[name] = [
                Load(table, self._source(source, f"{name}/{table.name}.parquet"), name)
                for table, source in zip((TRIPS, REJECTS), sources, strict=True)
            ]
        self._warehouse().replace(self._loads["old"], MONTH)

    def _warehouse(self) -> Warehouse:
        return open_warehouse(os.environ["TAXI_WAREHOUSE_URL"])

    def _source(self, source: Source, key: str) -> Source:
        if not self._remote:
            return source
        path = source.path()
        new = NewObject(path, sha256_of(path), pq.read_metadata(path).num_rows)
        stored: LakeObject = open_store(self.place.lake_url).put(new, key, replacing=None)
        return Source(source.path, stored)

    @override
    def run(self) -> None:
        loaded = self._warehouse().replace(self._loads["new"], MONTH)
        assert [each.rows for each in loaded] == [2, 2], f"replace returned {loaded}"

    @override
    def state(self) -> str:
        with warehouse_reader.open_warehouse(self._direct) as reader:
            month = reader.month()
        if month is None:
            return "wrong: the month has no rows"
        if month.apart:  # BigQuery has no transaction over both tables
            return "apart"
        seen, findings = judge(
            "warehouse", (month.trips, month.rejects), self._versions, self._versions
        )
        return f"wrong: {findings[0].detail}" if findings else seen

    @override
    def left(self) -> Iterator[str]:
        own = {TRIPS.name, REJECTS.name, "loaded_months"}
        own |= {f"{name}_{MONTH.year}{MONTH.month:02d}" for name in (TRIPS.name, REJECTS.name)}
        with warehouse_reader.open_warehouse(self._direct) as reader:
            yield from (f"table {name}" for name in reader.tables() - own)


class _Read(_Load):
    """Read the month, its count and its record; ``new`` if all are right."""

    def __init__(self, place: Place) -> None:
        super().__init__(place, local=True)
        self._seen: Any = None

    @override
    def run(self) -> None:
        warehouse = self._warehouse()
        with warehouse.read(TRIPS.name, months=[MONTH], columns=["zone"]) as reader:
            zones = sorted(reader.read_all().column("zone").to_pylist())
        loaded = warehouse.loaded(TRIPS.name, MONTH)
        count = warehouse.count(TRIPS.name, MONTH)
        self._seen = (zones, count, loaded and (loaded.version, loaded.rows))

    @override
    def state(self) -> str:
        if self._seen is None:
            return "old"
        return "new" if self._seen == ([1, 2, 3], 3, ("old", 3)) else f"wrong: {self._seen}"


WAREHOUSE_OPERATIONS: dict[str, Callable[[Place], Operation]] = {
    "load": _Load,
    "load a local file": partial(_Load, local=True),
    "read": _Read,
}
