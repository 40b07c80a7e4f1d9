"""The shape of a specification: columns, rules and facts of one dataset.

Belongs here: the types that ``yellow.py``, ``green.py``, ``fhv.py`` and ``fhvhv.py`` fill in.
Does not: any dataset's facts, any SQL beyond a rule's condition, anything of Dagster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from taxi_assets.datasets.month import Month


class Type(StrEnum):
    """The canonical types; every era's type is cast to one of them or the month fails."""

    INTEGER = "INTEGER"  # 64-bit, signed
    FLOAT = "FLOAT"  # IEEE double
    STRING = "STRING"
    TIMESTAMP = "TIMESTAMP"  # naive New York wall clock, microseconds
    DATE = "DATE"
    BOOLEAN = "BOOLEAN"  # no TLC column is one; assets built on top may have them


@dataclass(frozen=True, slots=True)
class Column:
    """One canonical column and how TLC's files have named and coded it.

    ``published_as`` holds every published name; they are compared exactly, so a new spelling is
    an unknown column until it is listed. ``since`` and ``until`` bound the months whose file must
    hold the column (both included); outside them it may be absent and is NULL then. A column
    that is not ``required`` may be absent from any month: TLC's word for it is all there is.
    ``codes`` maps published text, trimmed and lower-cased, to the canonical value; text that is
    not a key is cast as it is. ``values`` says what a canonical code means, for the docs.
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
    required: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "codes", MappingProxyType(dict(self.codes)))
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))

    def expected_in(self, month: Month) -> bool:
        """Whether the file of ``month`` must hold this column."""
        return (
            self.required
            and (self.since is None or self.since <= month)
            and (self.until is None or month <= self.until)
        )


class Action(StrEnum):
    """What a rule does to a row it matches."""

    REJECT = "reject"  # the row goes to the rejects, with the rule's name as a reason
    FLAG = "flag"  # the row stays, with the rule's name among its quality flags


@dataclass(frozen=True, slots=True)
class Rule:
    """A named condition on a canonical row.

    ``condition`` is a DuckDB boolean expression over canonical column names; ``{name}`` in it is
    replaced by that threshold, ``{month_start}`` and ``{month_end}`` by the file month's first
    moment and the next month's. A condition that is NULL does not match. ``description`` may name
    thresholds in the same way; ``explain`` fills them in.
    """

    name: str
    action: Action
    description: str
    condition: str
    thresholds: Mapping[str, int | float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "thresholds", MappingProxyType(dict(self.thresholds)))

    def explain(self) -> str:
        """The description with the thresholds written in."""
        return self.description.format_map(self.thresholds)


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """All that is known of one dataset.

    ``max_reject_share`` is the largest share of a month's rows (0 to 1) that may be rejected.
    ``ignored`` are published columns that carry nothing. ``cluster_by`` orders the warehouse table
    within a month.
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

    def column(self, name: str) -> Column:
        """The canonical column called ``name``; raises ``KeyError``."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name!r}")

    def rules_that(self, action: Action) -> tuple[Rule, ...]:
        """The rules with that action, in order."""
        return tuple(rule for rule in self.rules if rule.action is action)

    def file_name(self, month: Month) -> str:
        """The published file's name, such as ``green_tripdata_2024-01.parquet``."""
        return f"{self.name}_tripdata_{month}.parquet"
