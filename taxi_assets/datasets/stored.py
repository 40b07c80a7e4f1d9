"""The columns of what is stored: a specification's own and those the platform adds.

Belongs here: which columns a month's trips and rejects have, in order. Does not: how they are
computed (``cleaning``) or typed in an engine (``warehouse``).
"""

from __future__ import annotations

from enum import StrEnum

from taxi_assets.datasets.spec import Column, DatasetSpec, Type


class Part(StrEnum):
    """The two halves of a cleaned month; together they hold every published row once."""

    TRIPS = "trips"
    REJECTS = "rejects"


SOURCE_MONTH = Column(
    name="source_month",
    type=Type.DATE,
    description=(
        "First day of the month whose file held this row; the table's partition. A few rows of "
        "every file were picked up in another month: filter pickup_at for calendar months."
    ),
    published_as=(),
)
SOURCE_FILE = Column(
    name="source_file",
    type=Type.STRING,
    description="Name of the published file that held this row.",
    published_as=(),
)
QUALITY_FLAGS = Column(
    name="quality_flags",
    type=Type.STRING,
    description="Names of the flagging rules this row matches, comma-separated; NULL when none.",
    published_as=(),
)
REJECT_REASONS = Column(
    name="reject_reasons",
    type=Type.STRING,
    description="Names of the rejecting rules this row matches, comma-separated.",
    published_as=(),
)
SOURCE_ROW = Column(
    name="source_row",
    type=Type.INTEGER,
    description="The row's place in the published file, counted from 0.",
    published_as=(),
)


def stored_columns(spec: DatasetSpec, part: Part) -> tuple[Column, ...]:
    """Every column of that part, in the order it is stored."""
    columns = (*spec.columns, SOURCE_MONTH, SOURCE_FILE, QUALITY_FLAGS)
    return columns if part is Part.TRIPS else (*columns, REJECT_REASONS, SOURCE_ROW)


def documentation(column: Column) -> str:
    """What a person needs to know of a column in one line: meaning, unit, codes."""
    text = column.description
    if column.unit:
        text += f" Unit: {column.unit}."
    if column.values:
        meanings = ", ".join(f"{code} = {meaning}" for code, meaning in column.values.items())
        text += f" Codes: {meanings}."
    return text
