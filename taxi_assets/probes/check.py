"""Assemble the probes of what is configured, and run them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from taxi_assets import optional
from taxi_assets.addresses import LakeAddress, WarehouseAddress, lake_address, warehouse_address
from taxi_assets.errors import TaxiAssetsError
from taxi_assets.probes.home import HomeProbes
from taxi_assets.probes.identity import identity_probes
from taxi_assets.probes.lake import WRITE, LakeProbes
from taxi_assets.probes.names import new_name
from taxi_assets.probes.notifications import notification_probes
from taxi_assets.probes.probe import Group, Probe, run_probes
from taxi_assets.probes.source import source_probes
from taxi_assets.probes.warehouse import WarehouseProbes
from taxi_assets.settings import Settings
from taxi_assets.warehouse.base import Source
from taxi_assets.warehouse.factory import open_warehouse

__all__ = ["check"]


def check(settings: Settings, write: Callable[[str], None], *, notify: bool) -> bool:
    """Probe everything that ``settings`` name, ``write`` a line for each; whether all is well.

    ``notify`` sends a message to each notification channel. Whatever the probes write is removed,
    also after Ctrl-C.
    """
    settings.set_umask()
    with tempfile.TemporaryDirectory(prefix="taxi-assets-check-") as folder:
        return run_probes(_groups(settings, Path(folder), notify=notify), write)


def _groups(settings: Settings, files: Path, *, notify: bool) -> Iterator[Group]:
    name = new_name()
    lake, warehouse = lake_address(settings.lake_url), warehouse_address(settings.warehouse_url)
    yield HomeProbes(settings, name, files).group()
    yield source_probes(settings)
    yield Group(identity_probes(lake.kind, warehouse.kind))
    yield LakeProbes(settings.lake_url, name, files).group()
    yield _made("warehouse", partial(_warehouse, settings, lake, warehouse, name, files))
    yield _made("notify", partial(notification_probes, settings.notify, send=notify))


def _made(what: str, make: Callable[[], Group]) -> Group:
    """The group; if it cannot be made, as for a missing extra, a probe that says so."""
    try:
        return make()
    except TaxiAssetsError as error:
        return Group([Probe(f"{what}: open", partial(_fail, error))])


def _fail(error: TaxiAssetsError) -> str:
    raise error


def _warehouse(
    settings: Settings,
    lake: LakeAddress,
    warehouse: WarehouseAddress,
    name: str,
    files: Path,
) -> Group:
    """BigQuery loads from an object in the lake if it can, the other engines from a file."""
    loaded_from = LakeProbes(settings.lake_url, name, files)
    from_lake = warehouse.kind == "bigquery" and lake.kind == "gcs"

    def source_of(path: Path) -> Source:
        if not from_lake:
            return Source(lambda: path)
        return Source(lambda: path, loaded_from.put(path.read_bytes(), path.name, replacing=None))

    group = WarehouseProbes(
        partial(open_warehouse, settings.warehouse_url, memory_limit=settings.memory_limit),
        name,
        files,
        source_of,
        first=_of_engine(settings, lake, warehouse),
        needs=(WRITE,) if from_lake else (),
        file=warehouse.path,
    ).group()
    return replace(
        group, clean_up=[*group.clean_up, loaded_from.clean_up("warehouse: delete its objects")]
    )


def _of_engine(settings: Settings, lake: LakeAddress, warehouse: WarehouseAddress) -> list[Probe]:
    if warehouse.kind == "bigquery":
        from taxi_assets.probes.bigquery import BigQueryProbes  # noqa: PLC0415 - a slow import

        return BigQueryProbes(warehouse, lake.bucket if lake.kind == "gcs" else None).probes()
    if warehouse.kind == "postgres":
        module = optional.load(
            "taxi_assets.probes.postgres", extra="postgres", wanted_by="A PostgreSQL warehouse"
        )
        return list(module.PostgresProbes(settings.warehouse_url).probes())
    return []
