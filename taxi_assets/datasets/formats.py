"""The formats of published files: Parquet, and the CSV that mirrors keep (``csv_columns``)."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

__all__ = ["FileFormat"]


class FileFormat(StrEnum):
    """The format of a source's files; the value is the suffix of their names."""

    PARQUET = "parquet"
    CSV = "csv"
    CSV_GZ = "csv.gz"

    @property
    def is_csv(self) -> bool:
        """Whether the files are CSV, compressed or not."""
        return self is not FileFormat.PARQUET

    @classmethod
    def of(cls, file_name: str) -> Self:
        """The format of a file, by its name; Parquet, if that does not say CSV."""
        return next((each for each in cls if file_name.endswith(f".{each}")), cls("parquet"))
