"""The commands: ``run``, ``demo`` and ``ui``, which the Makefile calls.

Belongs here: arguments, what is printed, exit codes. Does not: running months (``runner``).

    python -m taxi_assets run --datasets green yellow --months 2024-01:2024-03
    python -m taxi_assets demo
    python -m taxi_assets ui
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from taxi_assets.assets.partitions import monthly
from taxi_assets.datasets import DATASETS, DatasetSpec, Month, dataset, parse_months
from taxi_assets.errors import TaxiAssetsError
from taxi_assets.instance import prepared
from taxi_assets.lake.factory import open_store
from taxi_assets.runner import Counted, count, materialise
from taxi_assets.settings import TLC_URL, Settings
from taxi_assets.simulator.server import Simulator
from taxi_assets.warehouse.factory import open_warehouse

DEMO_MONTHS = "2024-01:2024-03"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code. A wrong argument gets one line."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.command(options)
    except (ValueError, TaxiAssetsError) as error:
        print(f"taxi_assets: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m taxi_assets", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    run = commands.add_parser("run", help="materialise months of datasets")
    run.add_argument("--datasets", nargs="+", default=list(DATASETS), help="default: all four")
    run.add_argument(
        "--months",
        required=True,
        help="one month (2024-01) or an inclusive range (2024-01:2024-03)",
    )
    run.set_defaults(command=_run)
    demo = commands.add_parser("demo", help="three generated months of every dataset, no internet")
    demo.set_defaults(command=_demo)
    ui = commands.add_parser("ui", help="Dagster's webserver and daemon on 127.0.0.1")
    ui.add_argument("--port", type=int, default=3000)
    ui.set_defaults(command=_ui)
    return parser


def _run(options: argparse.Namespace) -> int:
    specs = [dataset(name) for name in options.datasets]
    months = parse_months(options.months)
    settings = Settings.from_env()
    for spec in specs:
        _require_published_range(spec, months)
    return _materialise(settings, specs, months)


def _demo(options: argparse.Namespace) -> int:  # noqa: ARG001 - it takes none
    months = parse_months(DEMO_MONTHS)
    settings = Settings.from_env()
    with Simulator(settings.home / "simulator") as simulator:
        print(f"A local TLC at {simulator.url} publishes generated months:")
        simulator.publish_zones()
        for spec in DATASETS.values():
            for month in months:
                simulator.publish(spec.name, month)
            print(f"  {spec.name} {DEMO_MONTHS}", flush=True)
        os.environ[TLC_URL.name] = simulator.url
        code = _materialise(settings, list(DATASETS.values()), months)
    if settings.lake_url.startswith("file:"):
        print("These trips are generated. Before loading real ones: make clean")
    return code


def _ui(options: argparse.Namespace) -> int:
    prepared(Settings.from_env()).dispose()
    command = ["dagster", "dev", "-m", "taxi_assets.definitions", "-h", "127.0.0.1"]
    print(f"http://127.0.0.1:{options.port}", flush=True)
    os.execvp(sys.executable, [sys.executable, "-m", *command, "-p", str(options.port)])  # noqa: S606


def _materialise(settings: Settings, specs: Sequence[DatasetSpec], months: list[Month]) -> int:
    print("Materialising:", flush=True)
    with prepared(settings) as instance:
        finished = materialise(instance, specs, months)
    store = open_store(settings.lake_url)
    warehouse = open_warehouse(settings.warehouse_url, memory_limit=settings.memory_limit)
    rows = [
        count(store, warehouse, spec, month, finished.seconds.get((spec.name, str(month)), 0.0))
        for spec in specs
        for month in months
    ]
    print()
    _print_table(rows)
    # The warehouse's own url is without its password.
    print(f"\nlake       {settings.lake_url}\nwarehouse  {warehouse.url}")
    if settings.warehouse_url.startswith("duckdb:"):
        table = f"{specs[0].name}_trips"
        path = settings.warehouse_url.removeprefix("duckdb:///")
        print(
            'query it   .venv/bin/python -c "import duckdb; '
            f"duckdb.connect('{path}', read_only=True).sql('FROM {table} LIMIT 5').show()\""
        )
    print("see it     make ui")
    for failure in finished.failures:
        print(f"FAILED     {failure}", file=sys.stderr)
    return 1 if finished.failures else 0


def _print_table(rows: Sequence[Counted]) -> None:
    heads = ("dataset", "month", "published", "clean", "rejected", "in lake", "in warehouse", "s")
    line = "{:<8} {:<8} {:>11} {:>11} {:>9} {:>11} {:>13} {:>7}"
    print(line.format(*heads))
    for row in rows:
        counts = (row.published, row.clean, row.rejected, row.lake, row.warehouse)
        texts = [f"{value:,}" if value is not None else "-" for value in counts]
        print(line.format(row.dataset, str(row.month), *texts, f"{row.seconds:.1f}"))


def _require_published_range(spec: DatasetSpec, months: Sequence[Month]) -> None:
    known = monthly(spec).get_partition_keys()
    outside = [str(month) for month in months if str(month) not in known]
    if outside:
        raise ValueError(
            f"{spec.name} has no month {outside[0]}: TLC publishes it from {known[0]}, and "
            f"{known[-1]} is the newest that can be there today"
        )
