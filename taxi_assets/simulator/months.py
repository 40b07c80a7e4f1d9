"""Write whole months as Parquet files, one row group at a time.

``taxi`` and ``hire`` generate the rows.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from taxi_assets.datasets.month import Month
from taxi_assets.simulator import clock, hire, taxi
from taxi_assets.simulator.eras import schema_for
from taxi_assets.simulator.values import Floats

__all__ = ["ROW_GROUP", "default_rows", "write_month"]

ROW_GROUP = 1 << 18

# Rows of a demo month, latest first: in the order of TLC's sizes, but closer together.
_DEFAULT_ROWS = {
    "yellow": ((Month(2020, 3), 9_000), (Month(2017, 1), 18_000), (Month(2009, 1), 28_000)),
    "green": ((Month(2020, 3), 2_000), (Month(2017, 1), 4_000), (Month(2014, 1), 7_000)),
    "fhv": ((Month(2019, 2), 6_000), (Month(2017, 1), 18_000), (Month(2015, 1), 9_000)),
    "fhvhv": ((Month(2019, 2), 40_000),),
}


def default_rows(dataset: str, month: Month) -> int:
    """Rows of a month that is small enough for a demo; they vary by month.

    Raises ``ValueError`` for a month that TLC does not publish.
    """
    schema_for(dataset, month)
    typical = next(rows for since, rows in _DEFAULT_ROWS[dataset] if month >= since)
    return typical + zlib.crc32(f"{dataset} {month}".encode()) % (typical // 10)


def write_month(dataset: str, month: Month, path: Path, *, rows: int, seed: int = 0) -> None:
    """Write the file that TLC could have published for ``month``, with ``rows`` rows.

    The same arguments give the same bytes (with the same versions of numpy and pyarrow). Memory
    is bounded to a few row groups. Raises ``ValueError`` for a month that TLC does not publish and
    for negative ``rows`` or ``seed``.
    """
    if rows < 0 or seed < 0:
        raise ValueError(f"rows and seed of {dataset} {month} must not be negative")
    file = _File(dataset, month, rows, seed)
    texts = [field.name for field in file.schema if "string" in str(field.type)]
    with pq.ParquetWriter(
        path, file.schema, compression="zstd", compression_level=1, use_dictionary=texts
    ) as writer:
        for group in _row_groups(file):
            writer.write_table(group, row_group_size=ROW_GROUP)


@dataclass(frozen=True)
class _File:
    """A month to be written; each row group depends only on its number."""

    dataset: str
    month: Month
    rows: int
    seed: int

    @cached_property
    def schema(self) -> pa.Schema:
        return schema_for(self.dataset, self.month)

    @cached_property
    def demand(self) -> Floats:
        return clock.demand_of(self._rng(0), self.month)

    @property
    def groups(self) -> int:
        return -(-self.rows // ROW_GROUP)

    def group(self, number: int) -> pa.Table:
        rng = self._rng(number + 1)
        start = number * ROW_GROUP
        stop = min(start + ROW_GROUP, self.rows)
        pickup = clock.pickups(rng, self.month, self.demand, start=start, stop=stop, rows=self.rows)
        if self.dataset == "fhv":
            frame, name_of = hire.fhv_rows(rng, self.month, self.schema, pickup), hire.name_of
        elif self.dataset == "fhvhv":
            frame, name_of = hire.fhvhv_rows(rng, self.month, pickup), hire.name_of
        else:
            frame = taxi.taxi_rows(rng, self.dataset, self.month, self.schema, pickup)
            name_of = taxi.name_of
        arrays = [frame[name_of(field.name)].to_arrow(field.type) for field in self.schema]
        return pa.Table.from_arrays(arrays, schema=self.schema)

    def _rng(self, stream: int) -> np.random.Generator:
        """A separate generator for the file (0) and for each row group (1 and up)."""
        dataset = zlib.crc32(self.dataset.encode())
        key = [self.seed, dataset, self.month.year, self.month.month, stream]
        return np.random.Generator(np.random.SFC64(key))


def _row_groups(file: _File) -> Iterator[pa.Table]:
    """The row groups in order; the next is generated while one is written."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="simulator") as generator:
        upcoming = [generator.submit(file.group, number) for number in range(min(1, file.groups))]
        for number in range(1, file.groups + 1):
            group = upcoming.pop().result()
            if number < file.groups:
                upcoming.append(generator.submit(file.group, number))
            yield group
