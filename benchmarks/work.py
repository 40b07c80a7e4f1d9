"""What the assets are compared with, each run as a process of its own.

The floor is the least work that could be called loading a month; pandas does the same work as the
assets. Timing is ``__main__``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import pandas as pd

_LIMITS = "SET memory_limit = '512MB'; SET preserve_insertion_order = false;"


def floor(published: Path, folder: Path, *, limits: str = _LIMITS) -> None:
    """Copy the file to a Parquet file and make a table of that: no rule, no cast, no check."""
    copied = folder / "copy.parquet"
    with duckdb.connect(str(folder / "floor.duckdb")) as connection:
        connection.execute(limits)
        connection.execute(f"SET temp_directory = '{folder}'")
        connection.execute(
            f"COPY (FROM '{published}') TO '{copied}' (FORMAT parquet, COMPRESSION zstd)"
        )
        connection.execute(f"CREATE TABLE trips AS FROM '{copied}'")


def defaults(published: Path, folder: Path) -> None:
    """The same with DuckDB as it comes."""
    floor(published, folder, limits="")


def pandas(published: Path, folder: Path) -> None:
    """Rename, flag and split a month in a frame, write both parts, load the trips."""
    frame = pd.read_parquet(published)
    frame = frame.rename(columns={"pickup_datetime": "pickup_at", "dropoff_datetime": "dropoff_at"})
    month = pd.Timestamp("2024-01-01")
    late = frame["dropoff_at"] < frame["pickup_at"] - pd.Timedelta(hours=1)
    far = (frame["pickup_at"] - month).dt.days.abs() > 62
    rejected = late | far | frame["pickup_at"].isna()
    flags = pd.Series("", index=frame.index)
    flags = flags.mask(frame["trip_miles"] == 0, flags + "zero_distance,")
    flags = flags.mask(frame["base_passenger_fare"] < 0, flags + "negative_fare,")
    flags = flags.mask(frame["PULocationID"].isin([264, 265]), flags + "unknown_zone,")
    frame = frame.assign(source_month=month, source_file=published.name, quality_flags=flags)
    frame[rejected].to_parquet(folder / "rejects.parquet", compression="zstd")
    trips = frame[~rejected]
    trips.to_parquet(folder / "trips.parquet", compression="zstd")
    with duckdb.connect(str(folder / "pandas.duckdb")) as connection:
        connection.register("frame", trips)
        connection.execute("CREATE TABLE trips AS FROM frame")


if __name__ == "__main__":
    {"floor": floor, "defaults": defaults, "pandas": pandas}[sys.argv[1]](
        Path(sys.argv[2]), Path(sys.argv[3])
    )
