"""Probe a warehouse: a monthly table of its own, loaded, replaced, widened, read and dropped."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Type
from taxi_assets.errors import Misconfigured
from taxi_assets.probes.folders import existing, remove_empty
from taxi_assets.probes.names import PREFIX, left_behind
from taxi_assets.probes.probe import Group, Probe
from taxi_assets.warehouse.base import Load, Source, Warehouse
from taxi_assets.warehouse.months import LOADED_MONTHS
from taxi_assets.warehouse.tables import SOURCE_MONTH, Table, TableColumn
from taxi_assets.wording import counted, listed

__all__ = ["OPEN", "WarehouseProbes"]

OPEN: Final = "warehouse: list tables"
_LOAD: Final = "warehouse: load a month of 3 rows"

_MONTH: Final = Month(2024, 1)
_OTHER_MONTH: Final = Month(2024, 2)
_CHANGED: Final = (
    "Remove what changes tables after a load, such as a default expiration or a trigger; if there "
    "is nothing, report it as a bug."
)
_ADDED: Final = TableColumn("added", Type.STRING, "A column that the table did not have at first.")

Row = Mapping[str, object]
SourceOf = Callable[[Path], Source]
"""Makes of a local Parquet file what a month is loaded from: the file, or its object in the lake"""


class WarehouseProbes:
    """The probes of a warehouse, in the table ``name``.

    ``source_of`` is as a month's, ``files`` a local folder. ``first`` are the engine's own probes,
    the first of which all others need, and ``needs`` is what loading needs beside the warehouse.
    ``file`` is the warehouse's, if it is one.
    """

    def __init__(
        self,
        open_it: Callable[[], Warehouse],
        name: str,
        files: Path,
        source_of: SourceOf,
        *,
        first: Sequence[Probe] = (),
        needs: Sequence[str] = (),
        file: Path | None = None,
    ) -> None:
        self._open = open_it
        self._table = _table(name)
        self._files = files
        self._source_of = source_of
        self._first = first
        self._needs = needs
        self._file = file
        self._before = existing(file.absolute()) if file else None
        self._rows: dict[Month, list[Row]] = {}
        self._had_records = True
        self._wrote = False

    @cached_property
    def _warehouse(self) -> Warehouse:
        return self._open()

    def group(self) -> Group:
        """All of them, in order."""
        loaded = (_LOAD,)
        return Group(
            [
                *self._first,
                Probe(OPEN, self._list, tuple(probe.name for probe in self._first[:1])),
                Probe("warehouse: leftovers of killed checks", self._remove_old, (OPEN,)),
                Probe(_LOAD, self._load, (OPEN, *self._needs)),
                Probe("warehouse: count", self._count, loaded),
                Probe("warehouse: record of the month", self._record, loaded),
                Probe("warehouse: load a month of 0 rows", self._load_nothing, loaded),
                Probe("warehouse: load the month again", self._load_again, loaded),
                Probe("warehouse: add a column", self._add_column, loaded),
                Probe("warehouse: read", self._read, loaded),
            ],
            [Probe("warehouse: drop", self._clean_up)],
        )

    def _list(self) -> str:
        self._had_records = bool(self._warehouse.tables(LOADED_MONTHS.name))
        return self._warehouse.url

    def _remove_old(self) -> str:
        old = left_behind(self._warehouse.tables(PREFIX))
        for name in old:
            self._warehouse.drop(name)
        return f"{listed(old)} dropped" if old else ""

    def _load(self) -> str:
        self._replace(_rows("a", "b", "c"), _MONTH, version="1")
        return f"into {self._table.name}, a new table of months"

    def _count(self) -> str:
        return self._require_counts(3, 0)

    def _record(self) -> str:
        found = self._warehouse.loaded(self._table.name, _MONTH)
        if found is None or found.version != "1":
            raise Misconfigured(
                f"The record of {self._table.name} {_MONTH} in {LOADED_MONTHS.name} does not match "
                "its rows.",
                _CHANGED,
            )
        return f"its version, and {counted(found.rows, 'row')}"

    def _load_nothing(self) -> str:
        self._replace([], _OTHER_MONTH)
        return self._require_counts(3, 0)

    def _load_again(self) -> str:
        self._replace(_rows("d", "e"), _MONTH)
        return self._require_counts(2, 0)

    def _add_column(self) -> str:
        self._table = replace(self._table, columns=(*self._table.columns, _ADDED))
        self._replace([{**row, _ADDED.name: "new"} for row in _rows("f", "g")], _MONTH)
        return self._require_counts(2, 0)

    def _replace(self, rows: Sequence[Row], month: Month, version: str | None = None) -> None:
        path = self._files / f"{uuid.uuid4().hex}.parquet"
        pq.write_table(pa.Table.from_pylist(list(rows), self._table.arrow_schema), path)
        self._wrote = True
        self._warehouse.replace([Load(self._table, self._source_of(path), version)], month)
        self._rows[month] = list(rows)

    def _require_counts(self, *rows: int) -> str:
        found = [self._warehouse.count(self._table.name, each) for each in (_MONTH, _OTHER_MONTH)]
        if found != list(rows):
            raise Misconfigured(
                f"Months {_MONTH} and {_OTHER_MONTH} of {self._table.name} have "
                f"{found[0]} and {counted(found[1], 'row')} instead of {rows[0]} and {rows[1]}.",
                _CHANGED,
            )
        return counted(found[0], "row")

    def _read(self) -> str:
        expected = [row for month in sorted(self._rows) for row in self._rows[month]]
        with self._warehouse.read(self._table.name, months=[*self._rows], columns=None) as reader:
            found = sorted(reader.read_all().to_pylist(), key=lambda row: str(row["text"]))
        if found != expected:
            raise Misconfigured(f"{self._table.name} has {found} instead of {expected}.", _CHANGED)
        return f"{counted(len(found), 'row')}, as written"

    def _clean_up(self) -> str:
        """Without ``loaded_months`` before, it is dropped too, unless a run began to use it."""
        if not self._wrote:
            return ""
        for name in self._warehouse.tables(self._table.name):
            self._warehouse.drop(name)
        records = LOADED_MONTHS.name
        if not self._had_records and self._warehouse.count(records, None) == 0:
            self._warehouse.drop(records)
        if self._file and self._before != self._file.absolute() and not self._warehouse.tables(""):
            self._file.unlink(missing_ok=True)
            assert self._before is not None
            remove_empty(self._file.absolute().parent, self._before)
        left = self._warehouse.tables(self._table.name)
        if left:
            raise Misconfigured(f"Tables {listed(left)} cannot be dropped.", "Drop them.")
        return "nothing is left"


def _table(name: str) -> Table:
    """A table with a column of each type, and with months and clustering as the months' own."""
    columns = (
        TableColumn("picked_up_at", Type.TIMESTAMP, "A time without a time zone."),
        TableColumn("zone", Type.INTEGER, "A whole number; 'quoted', \"twice\"."),
        TableColumn("fare", Type.FLOAT, "A number."),
        TableColumn("text", Type.STRING, "Any text."),
        TableColumn("yes", Type.BOOLEAN, "True or false."),
        TableColumn(SOURCE_MONTH, Type.DATE, "The month of the file, by its first day."),
    )
    description = "Made by `python -m taxi_assets check`, which drops it at its end."
    return Table(name, description, columns, True, ("picked_up_at", "zone"))


def _rows(*texts: str) -> list[Row]:
    """A row for each of ``texts``, by which they are ordered."""
    return [
        {
            "picked_up_at": datetime(2024, 1, 2, 3, 4, 5, 678901 + at),  # noqa: DTZ001 - naive
            "zone": None if at else 2**53 + 1,
            "fare": -0.1 * at,
            "text": f"{text} Straße · 東京 \\ \"'\n\t",
            "yes": at == 0,
            SOURCE_MONTH: date(2024, 1, 1),
        }
        for at, text in enumerate(texts)
    ]
