"""Rules that several datasets share; a rule on one dataset's own columns goes into its module.

Only an impossible time rejects a row. An unusual distance, amount or zone is flagged: the trip and
its payment are real, and a negative amount is the reversal of a positive one.

Published times have no UTC offset. On the night the clocks go back, a valid trip can end up to an
hour "before" it began, hence the hour between flag and reject.

Measured on 957,241 rows, 13 green months of 2020-03 to 2025-02: pickups far from the month 18,
dropoffs more than an hour early 1 and up to an hour early 262, pickups outside the month 160,
no duration 0.11 %, over 12 hours 0.29 %, no distance 4.4 %, over 200 miles 0.04 %, negative totals
0.28 %, no passengers 0.54 %, passengers unknown 19 % (4 % to 47 % by month), unknown zones 1.0 %.
There is no rule on the sum of a trip's amounts: what the total contains differs by era and
provider.
"""

from __future__ import annotations

from typing import Final

from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import Action, Column, Rule

__all__ = [
    "DISTANCE_RULES",
    "LAST_ZONE",
    "NEGATIVE_AMOUNT",
    "PASSENGER_RULES",
    "TIME_RULES",
    "ZONE_OUT_OF_RANGE",
    "unknown_code",
    "unknown_zone",
]

LAST_ZONE: Final = 265

PICKUP_MISSING: Final = Rule(
    name="pickup_missing",
    action=Action.REJECT,
    description="The row has no pickup time.",
    condition="pickup_at IS NULL",
)
PICKUP_FAR_FROM_MONTH: Final = Rule(
    name="pickup_far_from_month",
    action=Action.REJECT,
    description="The pickup is more than {days} days outside the file's month: a wrong clock.",
    condition=(
        "pickup_at < {month_start} - INTERVAL {days} DAY"
        " OR pickup_at >= {month_end} + INTERVAL {days} DAY"
    ),
    thresholds={"days": 31},
)
DROPOFF_BEFORE_PICKUP: Final = Rule(
    name="dropoff_before_pickup",
    action=Action.REJECT,
    description="The trip ends more than {minutes} minutes before it begins.",
    condition="dropoff_at < pickup_at - INTERVAL {minutes} MINUTE",
    thresholds={"minutes": 60},
)

PICKUP_OUTSIDE_MONTH: Final = Rule(
    name="pickup_outside_month",
    action=Action.FLAG,
    description="The pickup is in another month than the file's: reported late or early.",
    condition="pickup_at < {month_start} OR pickup_at >= {month_end}",
)
DROPOFF_JUST_BEFORE_PICKUP: Final = Rule(
    name="dropoff_just_before_pickup",
    action=Action.FLAG,
    description=(
        "The trip ends up to {minutes} minutes before it begins: the clocks went back, or a"
        " clock was wrong."
    ),
    condition="dropoff_at < pickup_at AND dropoff_at >= pickup_at - INTERVAL {minutes} MINUTE",
    thresholds={"minutes": 60},
)
# In yellow, all 903,251 rows of vendor 7 since 2024 are such: it sends no dropoff of its own.
ZERO_DURATION: Final = Rule(
    name="zero_duration",
    action=Action.FLAG,
    description=(
        "The trip ends at the second it begins: a trip not taken, or a provider without a dropoff"
        " time."
    ),
    condition="dropoff_at = pickup_at",
)
# Trips with the meter left running end at 24 hours (the longest is 23:59:58), so a threshold of 24
# hours would match none.
LONG_TRIP: Final = Rule(
    name="long_trip",
    action=Action.FLAG,
    description="The trip lasts more than {hours} hours, longer than a driver's shift.",
    condition="dropoff_at > pickup_at + INTERVAL {hours} HOUR",
    thresholds={"hours": 12},
)
ZERO_DISTANCE: Final = Rule(
    name="zero_distance",
    action=Action.FLAG,
    description="The trip distance is zero.",
    condition="trip_distance = 0",
)
NEGATIVE_DISTANCE: Final = Rule(
    name="negative_distance",
    action=Action.FLAG,
    description="The trip distance is negative.",
    condition="trip_distance < 0",
)
IMPLAUSIBLE_DISTANCE: Final = Rule(
    name="implausible_distance",
    action=Action.FLAG,
    description="The trip is longer than {miles} miles, farther than taxis go.",
    condition="trip_distance > {miles}",
    thresholds={"miles": 200},
)
NEGATIVE_AMOUNT: Final = Rule(
    name="negative_amount",
    action=Action.FLAG,
    description="The total is negative: the reversal of another row, which is kept too.",
    condition="total_amount < 0",
)
ZERO_PASSENGERS: Final = Rule(
    name="zero_passengers",
    action=Action.FLAG,
    description="The driver entered no passengers.",
    condition="passenger_count = 0",
)
PASSENGERS_UNKNOWN: Final = Rule(
    name="passengers_unknown",
    action=Action.FLAG,
    description="The passenger count is missing: the provider sent the row without meter details.",
    condition="passenger_count IS NULL",
)
ZONE_OUT_OF_RANGE: Final = Rule(
    name="zone_out_of_range",
    action=Action.FLAG,
    description="A zone ID is not between 1 and {last_zone}.",
    condition=(
        "pickup_zone_id NOT BETWEEN 1 AND {last_zone}"
        " OR dropoff_zone_id NOT BETWEEN 1 AND {last_zone}"
    ),
    thresholds={"last_zone": LAST_ZONE},
)


def unknown_zone(
    *, pickups_since: Month | None = None, dropoffs_since: Month | None = None
) -> Rule:
    """The rule for trips that begin or end outside the mapped zones.

    NULL matches only in files since the given months: before them TLC published no such zones.
    """

    def end(column: str, since: Month | None) -> str:
        known = f"coalesce({column}, 264) IN (264, 265)"
        return f"({{month_start}} >= DATE '{since.first_day}' AND {known})" if since else known

    return Rule(
        name="unknown_zone",
        action=Action.FLAG,
        description="The pickup or dropoff zone is missing, 264 (unknown) or 265 (outside of NYC).",
        condition=(
            f"{end('pickup_zone_id', pickups_since)} OR {end('dropoff_zone_id', dropoffs_since)}"
        ),
    )


def unknown_code(*columns: Column) -> Rule:
    """The rule for text that is none of a column's codes; NULL is a code that was not sent.

    A new code of TLC's belongs into ``values`` of its column.
    """

    def unknown(column: Column) -> str:
        codes = ", ".join(f"'{code}'" for code in column.values)
        return f"{column.name} NOT IN ({codes})"

    names = ", ".join(column.name for column in columns)
    return Rule(
        name="unknown_code",
        action=Action.FLAG,
        description=f"The text is none of the column's codes: {names}.",
        condition=" OR ".join(map(unknown, columns)),
    )


# For every dataset; for datasets with a trip distance; for datasets with a passenger count.
TIME_RULES: Final = (
    PICKUP_MISSING,
    PICKUP_FAR_FROM_MONTH,
    DROPOFF_BEFORE_PICKUP,
    PICKUP_OUTSIDE_MONTH,
    DROPOFF_JUST_BEFORE_PICKUP,
    ZERO_DURATION,
    LONG_TRIP,
)
DISTANCE_RULES: Final = (ZERO_DISTANCE, NEGATIVE_DISTANCE, IMPLAUSIBLE_DISTANCE)
PASSENGER_RULES: Final = (ZERO_PASSENGERS, PASSENGERS_UNKNOWN)
