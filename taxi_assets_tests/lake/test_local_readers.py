"""Whoever reads a month of a local lake while it is replaced has the old one or the new one."""

from __future__ import annotations

import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from taxi_assets.errors import ConcurrentWrite
from taxi_assets.lake.io_manager import finished
from taxi_assets.lake.local import LocalStore

KEY = "trips/green/year=2024/month=01/trips.parquet"


def test_a_reader_has_one_version_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    """Handle, checksum, row count, attributes and content are of one version, always."""
    store = LocalStore(tmp_path / "lake")
    stop = threading.Event()
    seen: set[int] = set()
    faults: list[object] = []

    def read() -> None:
        while not stop.is_set():
            found = store.find(KEY)
            if found is None:
                continue
            rows = int(found.attributes["rows written"])
            facts = (found.rows, found.sha256, found.size)
            if facts != expected[rows]:
                faults.append((rows, facts))
            try:
                table = pq.ParquetFile(store.fetch(found, tmp_path / "fetched")).read()
            except ConcurrentWrite:
                continue  # told so, not misled
            seen.add(rows)
            if set(table["n"].to_pylist()) != {table.num_rows}:
                faults.append((rows, table.num_rows))

    versions = []
    for rows in range(1, 151):
        path = tmp_path / f"{rows}.parquet"
        pq.write_table(pa.table({"n": [rows] * rows}), path)
        versions.append(finished(path, {"rows written": str(rows)}))
    expected = {
        int(new.attributes["rows written"]): (new.rows, new.sha256, new.path.stat().st_size)
        for new in versions
    }
    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    before = None
    for new in versions:
        before = store.put(new, KEY, replacing=before)
    stop.set()
    for reader in readers:
        reader.join()
    assert faults == []
    assert len(seen) > 5
