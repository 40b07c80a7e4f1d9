"""The Arrow schema of every month that TLC has published, as a list of changes per dataset.

Add a ``Change`` here when TLC changes a file. Column names, orders and counts are those of the
published files. pandas wrote a null-typed column for one without any value, and doubles for whole
numbers of which some are NULL, so the types of 2011 to 2020 flip from month to month.

Sources: the footers of yellow's files of 2009-01 to 2024-08 as tabulated in
github.com/snowch/vast-docker-compose-examples (``yellow_taxi_data_ptA_schema_duckdb.ipynb``); one
file per variant in the tests of github.com/toddwschneider/nyc-taxi-data; real green files since
2020-03. Known only in part: one of yellow's 2011-01 and 2011-02 has both surcharges as doubles and
the other neither, and the two sources disagree which; green flips more often from 2014-02 to
2018-10 than here, where it is only known that all these kinds occur.
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
    I64,
    LARGE,
    LOCATIONS_2023,
    NULL,
    STR,
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
        Change(Month(2010, 2), {"rate_code": I64, "__index_level_0__": I64}),
        Change(Month(2010, 4), {"rate_code": STR}, dropped=("__index_level_0__",)),
        Change(Month(2011, 1), YELLOW_2011, replaces=True),
        Change(Month(2011, 2), {"congestion_surcharge": F64, "airport_fee": F64}),
        Change(Month(2011, 3), {"airport_fee": NULL}),
        Change(Month(2011, 4), {"congestion_surcharge": NULL}),
        Change(Month(2012, 12), {"congestion_surcharge": F64}),
        Change(Month(2013, 1), {"congestion_surcharge": NULL}),
        Change(Month(2013, 5), {"congestion_surcharge": F64}),
        Change(Month(2013, 6), {"congestion_surcharge": NULL}),
        Change(Month(2014, 1), {"congestion_surcharge": F64}),
        Change(Month(2014, 2), {"congestion_surcharge": NULL}),
        Change(Month(2014, 8), {"improvement_surcharge": NULL}),
        Change(Month(2014, 9), {"improvement_surcharge": F64}),
        Change(Month(2018, 1), {"congestion_surcharge": F64, "airport_fee": F64}),
        Change(Month(2018, 2), {"congestion_surcharge": NULL, "airport_fee": NULL}),
        Change(Month(2018, 6), {"congestion_surcharge": F64}),
        Change(
            Month(2018, 7),
            {"passenger_count": F64, "RatecodeID": F64, "congestion_surcharge": NULL},
        ),
        Change(Month(2018, 9), {"congestion_surcharge": F64}),
        Change(Month(2018, 10), {"congestion_surcharge": NULL}),
        Change(Month(2018, 11), {"congestion_surcharge": F64}),
        Change(Month(2018, 12), {"congestion_surcharge": NULL}),
        Change(Month(2019, 1), {"congestion_surcharge": F64}),
        Change(Month(2020, 8), {"airport_fee": F64}),
        Change(Month(2020, 10), {"airport_fee": NULL}),
        Change(Month(2020, 11), {"airport_fee": F64}),
        Change(Month(2023, 2), TAXI_2023, renamed={"airport_fee": "Airport_fee"}),
        Change(Month(2025, 1), {"cbd_congestion_fee": F64}),
        Change(Month(2026, 6), {"request_source": LARGE}),
    ),
    "green": (
        Change(Month(2014, 1), GREEN_2014, replaces=True),
        Change(Month(2014, 2), {"ehail_fee": NULL, "improvement_surcharge": NULL}),
        Change(Month(2014, 3), {"improvement_surcharge": F64}),
        Change(Month(2018, 10), {"ehail_fee": F64}),
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
        Change(Month(2017, 5), {"SR_Flag": F64}),
        Change(Month(2019, 3), {"SR_Flag": NULL}),
        Change(Month(2019, 5), {"PUlocationID": I64, "DOlocationID": I64}),
        Change(Month(2019, 7), {"PUlocationID": F64, "DOlocationID": F64}),
        Change(Month(2020, 7), {"DOlocationID": I64}),
        Change(Month(2020, 8), {"DOlocationID": F64}),
        Change(
            Month(2023, 2),
            {
                "dispatching_base_num": LARGE,
                "PUlocationID": I64,
                "DOlocationID": I64,
                "SR_Flag": I64,
                "Affiliated_base_number": LARGE,
            },
        ),
    ),
    "fhvhv": (
        Change(Month(2019, 2), FHVHV_2019, replaces=True),
        Change(Month(2019, 4), {"wav_match_flag": STR}),
        Change(Month(2019, 7), {"airport_fee": F64}),
        Change(Month(2020, 4), {"airport_fee": NULL}),
        Change(Month(2020, 5), {"airport_fee": F64}),
        Change(Month(2020, 10), {"airport_fee": NULL}),
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
