"""Stand-ins with the names of the platform's assets, for tests of automation.

They store nothing and run in milliseconds, and leave the same records as the platform's assets:
materializations with metadata, check results, failures with their facts. ``Script`` decides which
of them fail. ``test_daemon`` runs the platform's own assets.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from taxi_assets.assets.common import source_key, trip_key
from taxi_assets.assets.partitions import monthly
from taxi_assets.assets.zones_check import LOADED_ZONES
from taxi_assets.automation.factory import build_automation
from taxi_assets.datasets import DATASETS, DatasetSpec
from taxi_assets.errors import AuditFailed
from taxi_assets.failures import translated_errors
from taxi_assets.settings import Settings
from taxi_assets.versions import LAYOUT

ASSETS = ("raw_trips", "clean_trips", "lake_trips", "warehouse_trips", "stored_rows")
AUDITS = ("reconciled", "reject_share", "pickup_present")
VERSION = f"{LAYOUT}-0123456789ab-1"


@dataclass
class Script:
    """What the stand-ins do: ETags of downloads by month, errors by asset and month, descriptions
    of failed checks by name and month, and of overdue months by dataset,
    also of ``taxi_zones``.
    """

    etags: dict[str, str] = field(default_factory=dict)
    errors: dict[tuple[str, str], Exception] = field(default_factory=dict)
    checks: dict[tuple[str, str], str] = field(default_factory=dict)
    overdue: dict[str, str] = field(default_factory=dict)

    def clear(self) -> None:
        """Nothing fails and no file has an ETag."""
        for each in (self.etags, self.errors, self.checks, self.overdue):
            each.clear()


def stand_ins(settings: Settings, script: Script | None = None) -> dg.Definitions:
    """The platform's assets and checks by name, with the real automation of ``settings``."""
    script = script or Script()
    assets: list[dg.AssetsDefinition | dg.AssetSpec] = []
    checks: list[dg.AssetChecksDefinition] = [_zones(script)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # partitioned checks are a preview
        for spec in DATASETS.values():
            before = source_key(spec)
            assets.append(dg.AssetSpec(before, partitions_def=monthly(spec)))
            for name in ASSETS:
                assets.append(_asset(spec, name, before, script))
                before = trip_key(spec, name)
            checks += [
                _check(spec, "raw_trips", "published_rows", script, blocking=False),
                _check(spec, "warehouse_trips", "reconciled", script, blocking=True),
                _overdue(spec, script),
            ]
    zones = [dg.asset(name=name)(lambda: None) for name in ("lake_zones", "taxi_zones")]
    own = dg.Definitions(
        assets=[*assets, *zones], asset_checks=checks, executor=dg.in_process_executor
    )
    return dg.Definitions.merge(own, build_automation(settings))


def _asset(
    spec: DatasetSpec, name: str, before: dg.AssetKey, script: Script
) -> dg.AssetsDefinition:
    key, partitions = trip_key(spec, name), monthly(spec)
    audits = AUDITS if name == "clean_trips" else ()

    @dg.asset(
        key=key,
        partitions_def=partitions,
        deps=[before],
        check_specs=[
            dg.AssetCheckSpec(audit, asset=key, blocking=True, partitions_def=partitions)
            for audit in audits
        ],
    )
    def made(context: dg.AssetExecutionContext) -> Iterator[Any]:
        month = context.partition_key
        with translated_errors(context):
            failed = {audit: script.checks.get((audit, month)) for audit in audits}
            for audit, says in failed.items():
                yield dg.AssetCheckResult(check_name=audit, passed=says is None, description=says)
            if reasons := [f"{audit}: {says}" for audit, says in failed.items() if says]:
                raise AuditFailed("; ".join(reasons), "See the rejects.")
            if error := script.errors.get((key.to_user_string(), month)):
                raise error
        yield dg.MaterializeResult(
            metadata=_metadata(spec, name, script.etags.get(month, "")),
            data_version=dg.DataVersion(VERSION),
        )

    return made


def _metadata(spec: DatasetSpec, name: str, etag: str) -> dict[str, Any]:
    if name == "raw_trips":
        return {"etag": etag}
    if name == "warehouse_trips":
        return {
            "dagster/partition_row_count": 1200,
            "rejected_rows": 1,
            "dagster/table_name": f"{spec.name}_trips",
        }
    return {}


def _check(
    spec: DatasetSpec, asset: str, name: str, script: Script, *, blocking: bool
) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=trip_key(spec, asset),
        name=name,
        blocking=blocking,
        partitions_def=monthly(spec),
    )
    def checked(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        says = script.checks.get((f"{asset}.{name}", context.partition_key))
        return dg.AssetCheckResult(passed=says is None, description=says)

    return checked


def _zones(script: Script) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=LOADED_ZONES.asset_key, name=LOADED_ZONES.name)
    def loaded_zones() -> dg.AssetCheckResult:
        says = script.overdue.get("taxi_zones")
        return dg.AssetCheckResult(
            passed=says is None, severity=dg.AssetCheckSeverity.WARN, description=says
        )

    return loaded_zones


def _overdue(spec: DatasetSpec, script: Script) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=trip_key(spec, "warehouse_trips"), name="overdue_months")
    def overdue_months() -> dg.AssetCheckResult:
        says = script.overdue.get(spec.name)
        return dg.AssetCheckResult(
            passed=says is None, severity=dg.AssetCheckSeverity.WARN, description=says
        )

    return overdue_months
