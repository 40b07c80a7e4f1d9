"""Unpack DuckDB's extensions from their wheels into DuckDB's extension folder below HOME."""

from __future__ import annotations

import duckdb
import duckdb_extensions  # type: ignore[import-not-found]  # in this program's environment only

NAMES = ("icu", "ducklake", "spatial", "httpfs", "avro")


def unpack() -> None:
    with duckdb.connect() as connection:
        for name in NAMES:
            duckdb_extensions.import_extension(name, con=connection)


if __name__ == "__main__":
    unpack()
