"""The columns of the stored trips and rejects: the specification's and those the platform adds.

A column of every dataset is added here; ``cleaning`` computes it.
"""

from __future__ import annotations

from enum import StrEnum

from taxi_assets.datasets.spec import Column, DatasetSpec, Type

__all__ = ["Part", "documentation", "stored_columns"]


class Part(StrEnum):
    """The two parts of a cleaned month; together they have every published row once."""

    TRIPS = "trips"
    REJECTS = "rejects"


SOURCE_MONTH = Column(
    name="source_month",
    type=Type.DATE,
    description=(
        "First day of the month of the source file; the table's partition. A few rows of every "
        "file have a pickup in another month: filter by pickup_at for calendar months."
    ),
    published_as=(),
)
SOURCE_FILE = Column(
    name="source_file",
    type=Type.STRING,
    description="Name of the published file the row comes from.",
    published_as=(),
)
QUALITY_FLAGS = Column(
    name="quality_flags",
    type=Type.STRING,
    description="Names of the flag rules the row matches, comma-separated; NULL if none.",
    published_as=(),
)
REJECT_REASONS = Column(
    name="reject_reasons",
    type=Type.STRING,
    description="Names of the reject rules the row matches, comma-separated.",
    published_as=(),
)
SOURCE_ROW = Column(
    name="source_row",
    type=Type.INTEGER,
    description="Row number in the published file, from 0.",
    published_as=(),
)


def stored_columns(spec: DatasetSpec, part: Part) -> tuple[Column, ...]:
    """The columns of that part, in stored order."""
    columns = (*spec.columns, SOURCE_MONTH, SOURCE_FILE, QUALITY_FLAGS)
    return columns if part is Part.TRIPS else (*columns, REJECT_REASONS, SOURCE_ROW)


def documentation(column: Column) -> str:
    """The description of a column in one line, with its unit and codes."""
    text = column.description
    if column.unit:
        text += f" Unit: {column.unit}."
    if column.values:
        meanings = ", ".join(f"{code} = {meaning}" for code, meaning in column.values.items())
        text += f" Codes: {meanings}."
    return text
