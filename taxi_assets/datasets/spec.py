"""The types of a specification: ``DatasetSpec`` with its columns and rules.

Add a field here only if a dataset needs it; the values are in ``yellow``, ``green``, ``fhv`` and
``fhvhv``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from taxi_assets.datasets.formats import FileFormat
from taxi_assets.datasets.month import Month

__all__ = ["Action", "Column", "DatasetSpec", "Rule", "Type"]


class Type(StrEnum):
    """The canonical types; a published type without a cast to one of them fails the month."""

    INTEGER = "INTEGER"  # 64-bit, signed
    FLOAT = "FLOAT"  # IEEE double
    STRING = "STRING"  # in trips a code: cleaning trims and upper-cases it, and blank is NULL
    TIMESTAMP = "TIMESTAMP"  # naive New York wall clock, microseconds
    DATE = "DATE"
    BOOLEAN = "BOOLEAN"  # used by no TLC column, but by assets built on the platform
    GEOGRAPHY = "GEOGRAPHY"  # points, lines and areas in WGS 84; of the zones only


@dataclass(frozen=True, slots=True)
class Column:
    """One canonical column, with its published names and codes.

    ``published_as`` holds every published name; names are compared exactly, so a new spelling is
    an unknown column until it is listed. The file of a month from ``since`` to ``until`` (both
    included) must have the column; before and after it may be absent, which gives NULL. A column
    that is not ``required`` may be absent in any month. ``codes`` maps published text, trimmed and
    lower-cased, to the canonical value; other text is cast unchanged, and a number without a code
    becomes text in a text column. ``values`` documents what each canonical code means. ``nulls``
    are values that mean NULL, as canonical text (``1989-01-01 00:00:00``), whether TLC published
    them as text or not.
    """

    name: str
    type: Type
    description: str
    published_as: tuple[str, ...]
    unit: str | None = None
    since: Month | None = None
    until: Month | None = None
    codes: Mapping[str, int | str] = field(default_factory=dict)
    values: Mapping[int | str, str] = field(default_factory=dict)
    nulls: tuple[str, ...] = ()
    required: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "codes", MappingProxyType(dict(self.codes)))
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))

    def expected_in(self, month: Month) -> bool:
        """Whether the file of ``month`` must have this column."""
        return (
            self.required
            and (self.since is None or self.since <= month)
            and (self.until is None or month <= self.until)
        )


class Action(StrEnum):
    """What a rule does to a matching row."""

    REJECT = "reject"  # move it to the rejects, with the rule's name as the reason
    FLAG = "flag"  # keep it, with the rule's name in its quality flags


@dataclass(frozen=True, slots=True)
class Rule:
    """A named condition on a canonical row.

    ``condition`` is a DuckDB boolean expression over canonical column names. In it, ``{name}`` is
    replaced by that threshold, ``{month_start}`` and ``{month_end}`` by the start of the file's
    month and of the next month. A condition that is NULL does not match. ``description`` may
    contain thresholds in the same way; ``explain`` fills them in.
    """

    name: str
    action: Action
    description: str
    condition: str
    thresholds: Mapping[str, int | float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "thresholds", MappingProxyType(dict(self.thresholds)))

    def explain(self) -> str:
        """The description with the thresholds filled in."""
        return self.description.format_map(self.thresholds)


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """The specification of one dataset.

    ``max_reject_share`` is the largest share (0 to 1) of a month's rows that may be rejected. No
    month up to ``unmeasured_until`` was available to measure: a larger share is a warning there,
    and only one above ``absurd_reject_share`` fails the month.
    ``ignored`` are published columns without information. ``cluster_by`` orders the warehouse
    table within a month.
    """

    name: str
    title: str
    description: str
    first_month: Month
    pickup: str
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    max_reject_share: float
    cluster_by: tuple[str, ...]
    dictionary_url: str
    memory_heavy: bool = False
    ignored: tuple[str, ...] = ()
    unmeasured_until: Month | None = None
    absurd_reject_share: float = 0.5

    def blocking_reject_share(self, month: Month) -> float:
        """The share of rejected rows (0 to 1) above which ``month`` fails."""
        unmeasured = self.unmeasured_until is not None and month <= self.unmeasured_until
        return self.absurd_reject_share if unmeasured else self.max_reject_share

    def column(self, name: str) -> Column:
        """The canonical column called ``name``; raises ``KeyError``."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name!r}")

    def rules_that(self, action: Action) -> tuple[Rule, ...]:
        """The rules with that action, in order."""
        return tuple(rule for rule in self.rules if rule.action is action)

    def file_name(self, month: Month, file_format: FileFormat = FileFormat.PARQUET) -> str:
        """The published file's name, such as ``green_tripdata_2024-01.parquet``."""
        return f"{self.name}_tripdata_{month}.{file_format}"
