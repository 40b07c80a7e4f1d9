"""Serve: local-bigquery's own command line, with the corrections in place."""

from __future__ import annotations

from . import (
    objects,
    partition_times,
    partition_writes,
    partitions,
    row_counts,
    table_creation,
    tokens,
)
from .upstream import cli

for correction in (
    partitions,
    partition_writes,
    partition_times,
    objects,
    row_counts,
    table_creation,
    tokens,
):
    correction.apply()
cli.main()
