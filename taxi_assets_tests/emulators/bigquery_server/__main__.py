"""Run local-bigquery's command line with the patches."""

from __future__ import annotations

from . import (
    geography,
    limits,
    objects,
    parquet_types,
    partition_times,
    partition_writes,
    partitions,
    row_counts,
    table_creation,
    tokens,
)
from .upstream import cli

for patch in (
    partitions,
    partition_writes,
    partition_times,
    objects,
    row_counts,
    table_creation,
    tokens,
    parquet_types,
    geography,
    limits,
):
    patch.apply()
cli.main()
