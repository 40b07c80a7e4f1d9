"""Users' assets that read or write values of a given type, for tests of the IO managers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from taxi_assets.assets.partitions import monthly
from taxi_assets.datasets.green import GREEN

MONTHLY = monthly(GREEN)
QUARTERLY = dg.TimeWindowPartitionsDefinition(
    cron_schedule="0 0 1 1,4,7,10 *", start="2014-01", fmt="%Y-%m"
)


@dataclass(frozen=True)
class Received:
    """An input as the asset received it: its type, its rows as an Arrow table, its value."""

    form: type
    rows: pa.Table | None
    value: Any


def reader(
    name: str,
    upstream: Sequence[str],
    form: Any,
    into: dict[str, Any],
    *,
    partitions: dg.PartitionsDefinition[str] | None = MONTHLY,
    mapping: dg.PartitionMapping | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> dg.AssetsDefinition:
    """An asset with one input annotated ``form``, which it puts into ``into`` by its name."""

    def body(given) -> None:  # type: ignore[no-untyped-def]  # the annotation is set below
        into[name] = received(given)

    body.__annotations__["given"] = form
    given = dg.AssetIn(dg.AssetKey(upstream), metadata=metadata, partition_mapping=mapping)
    return dg.asset(
        name=name,
        ins={"given": given},
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )(body)


def writer(
    name: str, value: Any, form: Any, manager: str, *, monthly: bool = True
) -> dg.AssetsDefinition:
    """An asset that returns ``value()``, stored by the IO manager with that key."""

    def body():  # type: ignore[no-untyped-def]  # the annotation is set below
        return value()

    body.__annotations__["return"] = form
    return dg.asset(
        name=name,
        partitions_def=MONTHLY if monthly else None,
        io_manager_key=manager,
        backfill_policy=dg.BackfillPolicy.single_run() if monthly else None,
    )(body)


def received(value: Any) -> Any:
    """Read an input while the asset runs; of a dict, each value."""
    if isinstance(value, dict):
        return {key: received(each) for key, each in value.items()}
    return Received(type(value), _rows(value), value)


def _rows(value: Any) -> pa.Table | None:
    if isinstance(value, pd.DataFrame):
        return pa.Table.from_pandas(value, preserve_index=False)
    if isinstance(value, pa.RecordBatchReader):
        return value.read_all()
    if isinstance(value, Path):
        return pq.read_table(value, partitioning=None)
    return value if isinstance(value, pa.Table) else None
