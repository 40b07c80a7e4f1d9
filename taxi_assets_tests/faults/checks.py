"""What is checked after a fault: the month as readers see it, and what is left on the disks.

Everything here runs in a child of the harness, in a place's environment.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow.parquet as pq

from taxi_assets.errors import ObjectMissing, TaxiAssetsError
from taxi_assets.lake.factory import open_store
from taxi_assets.lake.lake import Lake
from taxi_assets_tests.faults.judge import judge
from taxi_assets_tests.faults.lake_reader import lake_files, read_lake
from taxi_assets_tests.faults.months import MONTH, SPEC, Rows, Version, rows_of_table
from taxi_assets_tests.faults.result import Finding, Wrong
from taxi_assets_tests.faults.stores import Place
from taxi_assets_tests.faults.warehouse_reader import open_warehouse

__all__ = ["Seen", "left_behind", "look", "named", "package_month"]

_TABLES = {
    f"{SPEC.name}_trips", f"{SPEC.name}_rejects", "loaded_months", "taxi_zones",
    f"{SPEC.name}_trips_{MONTH.year}{MONTH.month:02d}",
    f"{SPEC.name}_rejects_{MONTH.year}{MONTH.month:02d}",
}  # fmt: skip

_HIVE = rf"year={MONTH.year:04d}/month={MONTH.month:02d}"
_STAGED = rf"staging/{SPEC.name}/{MONTH}"
_KEYS = re.compile(
    rf"raw/{SPEC.name}/{re.escape(SPEC.file_name(MONTH))}|{_STAGED}/trips\.parquet|"
    rf"{_STAGED}/rejects[^/]*\.parquet|trips/{SPEC.name}/{_HIVE}/trips\.parquet|"
    rf"rejects/{SPEC.name}/{_HIVE}/rejects[^/]*\.parquet|zones/taxi_zones\.parquet"
)
# Of a local lake: its locks, and one file of facts for each object.
_OWN = re.compile(r"(\.incoming/)?\.lock|\.facts/.*\.json")


@dataclass(frozen=True, slots=True)
class Seen:
    """The versions that the readers saw, and what was wrong with them."""

    lake: str
    warehouse: str
    findings: tuple[Finding, ...]


def look(place: Place, versions: Mapping[str, Version], allowed: Iterable[str]) -> Seen:
    """Read the month from lake and warehouse, independently and as the package reads it."""
    allowed = list(allowed)
    findings: list[Finding] = []
    lake = warehouse = "?"
    try:
        month = read_lake(lake_files(place.lake_url))
    except AssertionError as error:
        findings.append(Finding(Wrong.UNREADABLE, f"lake: {error}"))
    else:
        seen = None if month is None else (month.trips, month.rejects)
        lake, found = judge("lake", seen, versions, allowed)
        findings += found
    ours = package_month(place)
    if isinstance(ours, str):
        if lake != "none":
            findings.append(Finding(Wrong.UNREADABLE, f"the package's reader: {ours}"))
    else:
        findings += judge("lake by the package's reader", ours, versions, allowed)[1]
    with open_warehouse(place.warehouse_url) as reader:
        loaded = reader.month()
    if loaded is not None and loaded.apart:
        warehouse = "apart"
    else:
        rows = None if loaded is None else (loaded.trips, loaded.rejects)
        warehouse, found = judge("warehouse", rows, versions, allowed)
        findings += found
    return Seen(lake, warehouse, tuple(findings))


def package_month(place: Place) -> tuple[Rows, Rows] | str:
    """The month by the package's own handle, or why it refuses."""
    tempfile.tempdir = None  # cached by the parent, of another TMPDIR
    lake = Lake(open_store(place.lake_url), None)
    try:
        for _ in range(20):
            try:
                month = lake.month([SPEC.name, "lake_trips"], str(MONTH))
                files = [month.trips.path(), month.rejects.path()]
                trips, rejects = (rows_of_table(pq.ParquetFile(file).read()) for file in files)
            except (TaxiAssetsError, FileNotFoundError) as error:
                reason = str(error)
                if isinstance(error, ObjectMissing) and "cannot be used" in reason:
                    return reason
                continue  # replaced while it was read
            return trips, rejects
    finally:
        lake.close()
    return reason


def left_behind(place: Place) -> set[str]:
    """What is there that is no month, no record and not documented."""
    return {*_left_behind(place)}


def _left_behind(place: Place) -> Iterator[str]:
    rejects: dict[str, int] = {}
    for key in lake_files(place.lake_url).every_key():
        if _OWN.fullmatch(key) and place.lake_url.startswith("file:"):
            yield from _orphaned_facts(place, key)
        elif not _KEYS.fullmatch(key):
            yield f"lake: {key}"
        if "/rejects" in key and not key.startswith("."):
            parent = key.rpartition("/")[0]
            rejects[parent] = rejects.get(parent, 0) + 1
    yield from (f"lake: {count} rejects in {key}" for key, count in rejects.items() if count > 1)
    for folder in (place.scratch, place.temporary):
        yield from (
            f"{folder.name}: {path.relative_to(folder)}"
            for path in folder.rglob("*")
            if path.name.startswith("run-") or (path.is_file() and path.name != ".lock")
        )
    with open_warehouse(place.warehouse_url) as reader:
        yield from (f"warehouse: table {name}" for name in reader.tables() - _TABLES)


def _orphaned_facts(place: Place, key: str) -> Iterator[str]:
    if key.startswith(".facts/"):
        lake, folder = Path(urlsplit(place.lake_url).path), Path(key).parent
        stored = lake / folder.relative_to(".facts")
        facts = list((lake / folder).glob("*.json"))
        if not stored.exists() or len(facts) > 1:
            yield f"lake: {key}"


def named(outcome: str) -> list[Finding]:
    """A finding for a failure that has a traceback, several lines, or no remedy."""
    if "\n" in outcome or "unexpected" in outcome:
        return [Finding(Wrong.UNNAMED, outcome[:600])]
    return []
