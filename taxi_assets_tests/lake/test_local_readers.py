"""A reader of a local lake gets the old or the new month while it is replaced."""

from __future__ import annotations

import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from taxi_assets.errors import ConcurrentWrite
from taxi_assets.lake.io_manager import finished
from taxi_assets.lake.local import LocalStore

KEY = "trips/green/year=2024/month=01/trips.parquet"


def test_a_reader_gets_metadata_and_content_of_one_version(tmp_path: Path) -> None:
    """Checksum, row count, attributes and content always are of the same version."""
    store = LocalStore(tmp_path / "lake")
    stop = threading.Event()
    seen: set[int] = set()
    mismatches: list[object] = []

    def read() -> None:
        while not stop.is_set():
            found = store.find(KEY)
            if found is None:
                continue
            rows = int(found.attributes["rows written"])
            facts = (found.rows, found.sha256, found.size)
            if facts != expected[rows]:
                mismatches.append((rows, facts))
            try:
                table = pq.ParquetFile(store.fetch(found, tmp_path / "fetched")).read()
            except ConcurrentWrite:
                continue
            seen.add(rows)
            if set(table["n"].to_pylist()) != {table.num_rows}:
                mismatches.append((rows, table.num_rows))

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
    assert mismatches == []
    assert len(seen) > 5
