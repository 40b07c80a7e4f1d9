"""The Arrow schema of every month that TLC has published, as a list of changes per dataset.

Add a ``Change`` here when TLC changes a file. Column names, orders and counts are those of the
published files. The types of green since 2020-03 are those of real files; the others are as users
describe TLC's Parquet files, and where only the fact of a change is known (fhv's location IDs and
SR_Flag, and the month in which a count turned from int64 to double) a plausible month was chosen.
pyarrow writes a null-typed column for a column without any value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from taxi_assets.datasets.month import Month
from taxi_assets.simulator.layouts import (
    F64,
    FHV_2015,
    FHVHV_2019,
    FHVHV_TEXTS,
    GREEN_2014,
    I32,
    I64,
    LARGE,
    LOCATIONS_2023,
    NULL,
    TAXI_2023,
    YELLOW_2009,
    YELLOW_2010,
    YELLOW_2011,
    Columns,
)

__all__ = ["DATASETS", "era_starts", "first_month", "schema_for"]


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the schema since the month ``since``.

    ``columns`` changes the type of a column in place or appends it; with ``replaces`` they are the
    whole new schema.
    """

    since: Month
    columns: Columns
    renamed: Mapping[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    replaces: bool = False

    def applied_to(self, before: Columns) -> dict[str, pa.DataType]:
        """The schema after this change."""
        if self.replaces:
            return dict(self.columns)
        kept = {
            self.renamed.get(name, name): kind
            for name, kind in before.items()
            if name not in self.dropped
        }
        return {**kept, **self.columns}


_CHANGES: Mapping[str, tuple[Change, ...]] = {
    "yellow": (
        Change(Month(2009, 1), YELLOW_2009, replaces=True),
        Change(Month(2010, 1), YELLOW_2010, replaces=True),
        Change(Month(2010, 2), {"__index_level_0__": I64}),
        Change(Month(2010, 4), {}, dropped=("__index_level_0__",)),
        Change(Month(2011, 1), YELLOW_2011, replaces=True),
        Change(
            Month(2019, 1), {"passenger_count": F64, "RatecodeID": F64, "congestion_surcharge": F64}
        ),
        Change(Month(2020, 8), {"airport_fee": F64}),
        Change(Month(2020, 10), {"airport_fee": NULL}),
        Change(Month(2020, 11), {"airport_fee": F64}),
        Change(Month(2023, 2), TAXI_2023, renamed={"airport_fee": "Airport_fee"}),
        Change(Month(2025, 1), {"cbd_congestion_fee": F64}),
        Change(Month(2026, 6), {"request_source": LARGE}),
    ),
    "green": (
        Change(Month(2014, 1), GREEN_2014, replaces=True),
        Change(
            Month(2019, 1),
            {
                "passenger_count": F64,
                "RatecodeID": F64,
                "payment_type": F64,
                "congestion_surcharge": F64,
            },
        ),
        Change(Month(2019, 9), {"ehail_fee": NULL}),
        Change(
            Month(2023, 2), {**TAXI_2023, "payment_type": I64, "trip_type": I64, "ehail_fee": F64}
        ),
        Change(Month(2025, 1), {"cbd_congestion_fee": F64}),
        Change(Month(2026, 6), {"request_source": LARGE}),
    ),
    "fhv": (
        Change(Month(2015, 1), FHV_2015, replaces=True),
        Change(Month(2017, 1), {"DOlocationID": F64}),
        Change(Month(2017, 7), {"SR_Flag": F64}),
        Change(Month(2018, 1), {"PUlocationID": I64, "DOlocationID": I64}),
        Change(Month(2019, 1), {"PUlocationID": F64, "DOlocationID": F64}),
        Change(Month(2019, 2), {"SR_Flag": NULL}),
        Change(
            Month(2023, 2),
            {
                "dispatching_base_num": LARGE,
                "PUlocationID": I32,
                "DOlocationID": I32,
                "SR_Flag": I32,
                "Affiliated_base_number": LARGE,
            },
        ),
        Change(Month(2024, 1), {"SR_Flag": I64}),
    ),
    "fhvhv": (
        Change(Month(2019, 2), FHVHV_2019, replaces=True),
        Change(Month(2020, 11), {"airport_fee": F64}),
        Change(Month(2023, 2), {**dict.fromkeys(FHVHV_TEXTS, LARGE), **LOCATIONS_2023}),
        Change(Month(2025, 1), {"cbd_congestion_fee": F64}),
    ),
}

DATASETS: tuple[str, ...] = tuple(_CHANGES)


def first_month(dataset: str) -> Month:
    """The first month that TLC publishes of ``dataset`` as Parquet."""
    return _changes_of(dataset)[0].since


def era_starts(dataset: str) -> tuple[Month, ...]:
    """The first month of each era: every month whose schema differs from the one before."""
    return tuple(change.since for change in _changes_of(dataset))


def schema_for(dataset: str, month: Month) -> pa.Schema:
    """The schema of the file that TLC publishes for ``month``.

    Months after the last known change have the last known schema. Raises ``ValueError`` for an
    unknown dataset and for a month before its first.
    """
    if month < first_month(dataset):
        raise ValueError(
            f"{dataset} {month} cannot exist: TLC publishes {dataset} since "
            f"{first_month(dataset)}; choose a later month"
        )
    layout: Columns = {}
    for change in _changes_of(dataset):
        if change.since <= month:
            layout = change.applied_to(layout)
    return pa.schema(list(layout.items()))


def _changes_of(dataset: str) -> tuple[Change, ...]:
    try:
        return _CHANGES[dataset]
    except KeyError:
        raise ValueError(
            f"{dataset!r} is not a dataset of TLC; choose from {', '.join(_CHANGES)}"
        ) from None
