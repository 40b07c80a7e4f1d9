"""The SQL that reads a published file, and names and values as SQL."""

from __future__ import annotations

from pathlib import Path

__all__ = ["literal", "quoted", "scan"]


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | int) -> str:
    """An SQL literal."""
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def scan(source: Path, *, row_numbers: bool) -> str:
    """The file's rows; with ``row_numbers``, they have ``file_row_number``, from 0.

    Bytes without an annotation are text, as older writers left it out. A folder named ``a=b`` is no
    column.
    """
    return (
        f"read_parquet({literal(str(source))}, file_row_number = {str(row_numbers).lower()}, "
        "binary_as_string = true, hive_partitioning = false)"
    )
