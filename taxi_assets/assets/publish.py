"""``lake_trips`` and ``warehouse_trips``: an audited month where people read it.

Belongs here: publishing a staged month, loading a published one. Does not: stores and engines
(``lake``, ``warehouse``), making the month (``clean``).
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from taxi_assets.assets import checks, presentation
from taxi_assets.assets.clean import AUDIT, MADE_FROM, PASSED
from taxi_assets.assets.common import declared, trip_key
from taxi_assets.assets.months import Landed, each_month
from taxi_assets.assets.raw import SOURCE_URL
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.spec import DatasetSpec
from taxi_assets.datasets.stored import Part
from taxi_assets.errors import AuditFailed
from taxi_assets.lake import keys
from taxi_assets.lake.io_manager import LakeIOManager, object_metadata
from taxi_assets.lake.store import LakeObject
from taxi_assets.warehouse.base import Load, Source, Warehouse
from taxi_assets.warehouse.io_manager import WarehouseIOManager
from taxi_assets.warehouse.tables import table_of

_VERSION = "1"

# Rejects first: whoever reads the trips of a month finds its rejects there already.
_ORDER = (Part.REJECTS, Part.TRIPS)


def lake_trips(spec: DatasetSpec, kind: str) -> dg.AssetsDefinition:
    """The dataset's third asset; ``kind`` labels the store in the UI."""

    @dg.asset(
        **declared(spec, "lake_trips", ()),
        description=f"{spec.title}: the audited month as a published Parquet object.",
        deps=[trip_key(spec, "clean_trips")],
        kinds={kind, "parquet"},
        code_version=_VERSION,
        io_manager_key="lake",
    )
    def published(
        context: dg.AssetExecutionContext, lake: dg.ResourceParam[LakeIOManager]
    ) -> Iterator[Any]:
        def make(month: Month) -> Landed:
            return _publish(context, lake, spec, month)

        yield from each_month(context, make, code_version=_VERSION)

    return published


def warehouse_trips(spec: DatasetSpec, kind: str) -> dg.AssetsDefinition:
    """The dataset's fourth asset; ``kind`` labels the engine in the UI."""

    @dg.asset(
        **declared(spec, "warehouse_trips", checks.WAREHOUSE_CHECKS),
        description=f"{spec.title}: the month as one partition of table {spec.name}_trips, and "
        f"its rejects in {spec.name}_rejects.",
        deps=[trip_key(spec, "lake_trips")],
        kinds={kind, "table"},
        pool="warehouse",
        code_version=_VERSION,
        io_manager_key="warehouse",
    )
    def loaded(
        context: dg.AssetExecutionContext,
        lake: dg.ResourceParam[LakeIOManager],
        warehouse: dg.ResourceParam[WarehouseIOManager],
    ) -> Iterator[Any]:
        def make(month: Month) -> Landed:
            return _load(context, lake, warehouse.warehouse, spec, month)

        yield from each_month(context, make, code_version=_VERSION)

    return loaded


def _publish(
    context: dg.AssetExecutionContext, lake: LakeIOManager, spec: DatasetSpec, month: Month
) -> Landed:
    staged = _pair(lake, spec, "clean_trips", month)
    for each in staged.values():
        if each.attributes.get(AUDIT) != PASSED:
            raise AuditFailed(
                f"{each.uri} has not passed its audit, so it is not published; "
                f"materialise {spec.name}/clean_trips for {month} and see its checks."
            )
    published = {
        part: lake.write(keys.published(spec, month, part), staged[part]) for part in _ORDER
    }
    trips = published[Part.TRIPS]
    context.log.info(f"{spec.name} {month}: published {trips.uri}")
    return Landed(
        data_version=trips.sha256[:16],
        inputs=_inputs(context, trip_key(spec, "clean_trips"), month),
        metadata={
            **object_metadata(trips),
            "rejects": dg.MetadataValue.path(published[Part.REJECTS].uri),
            "dagster/column_schema": presentation.column_schema(spec),
            "dagster/column_lineage": presentation.same_columns(
                spec, trip_key(spec, "clean_trips")
            ),
            **presentation.links(spec, trips.attributes.get(SOURCE_URL)),
        },
    )


def _load(
    context: dg.AssetExecutionContext,
    lake: LakeIOManager,
    warehouse: Warehouse,
    spec: DatasetSpec,
    month: Month,
) -> Landed:
    objects = _pair(lake, spec, "lake_trips", month)
    loads = [Load(table_of(spec, part), _source(lake, objects[part])) for part in _ORDER]
    loaded = warehouse.replace(loads, month)
    counted = {load.table.name: warehouse.count(load.table.name, month) for load in loads}
    expected = {
        load.table.name: objects[part].rows or 0 for load, part in zip(loads, _ORDER, strict=True)
    }
    table = loads[-1].table.name
    context.log.info(f"{spec.name} {month}: {counted[table]:,} rows in {table}")
    return Landed(
        data_version=objects[Part.TRIPS].sha256[:16],
        inputs=_inputs(context, trip_key(spec, "lake_trips"), month),
        outcomes=[checks.warehouse_reconciled(expected, counted)],
        metadata={
            "dagster/partition_row_count": counted[table],
            "rejected_rows": counted[loads[0].table.name],
            "dagster/table_name": table,
            "dagster/uri": dg.MetadataValue.text(warehouse.url),
            "bytes": objects[Part.TRIPS].size,
            "dagster/column_schema": presentation.column_schema(spec),
            "dagster/column_lineage": presentation.same_columns(spec, trip_key(spec, "lake_trips")),
            **loaded[-1].details,
            **presentation.links(spec, objects[Part.TRIPS].attributes.get(SOURCE_URL)),
        },
    )


def _pair(
    lake: LakeIOManager, spec: DatasetSpec, asset: str, month: Month
) -> dict[Part, LakeObject]:
    """The asset's two objects of the month; they are written one after the other.

    Raises ``AuditFailed`` when a run died in between, so that they are not of the same file.
    """
    found = {part: lake.find([spec.name, asset], str(month), part) for part in _ORDER}
    if len({each.attributes.get(MADE_FROM) for each in found.values()}) > 1:
        raise AuditFailed(
            f"The trips and the rejects of {spec.name} {month} are made from different files: "
            f"a run ended between {' and '.join(each.uri for each in found.values())}. "
            f"Materialise {spec.name}/{asset} for {month} again; what follows it is as it was."
        )
    return found


def _source(lake: LakeIOManager, stored: LakeObject) -> Source:
    return Source(lambda: lake.local(stored), stored)


def _inputs(
    context: dg.AssetExecutionContext, key: dg.AssetKey, month: Month
) -> dict[dg.AssetKey, str]:
    """The upstream month's data version as Dagster last recorded it, if it did."""
    record = context.instance.get_latest_data_version_record(key, partition_key=str(month))
    materialization = record and record.event_log_entry.asset_materialization
    tags = (materialization and materialization.tags) or {}
    version = tags.get("dagster/data_version")
    return {key: version} if version else {}
