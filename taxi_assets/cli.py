"""The command line, which the Makefile calls: arguments, output, exit codes.

The work is in ``runner`` (months), ``summary`` (counts) and ``servers`` (the UI). Add a command
only for what Dagster's own ``dg`` cannot do
(https://docs.dagster.io/api/clis/dg-cli/dg-cli-reference).

    python -m taxi_assets run --datasets green yellow --months 2024-01:2024-03
    python -m taxi_assets demo
    python -m taxi_assets upgrade
    python -m taxi_assets rebuild
    python -m taxi_assets ui
    python -m taxi_assets check
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import NoReturn

import dagster as dg
from typing_extensions import override

from taxi_assets.addresses import warehouse_address
from taxi_assets.assets.partitions import monthly
from taxi_assets.datasets import DATASETS, DatasetSpec, Month, dataset, parse_months
from taxi_assets.datasets.formats import FileFormat
from taxi_assets.errors import TaxiAssetsError
from taxi_assets.instance import prepared
from taxi_assets.lake.factory import open_store
from taxi_assets.probes.check import check
from taxi_assets.rebuild import damaged_objects, reloads, repairs
from taxi_assets.runner import Requested, month_runs, run_all
from taxi_assets.servers import serve
from taxi_assets.settings import SOURCE_FORMAT, TLC_URL, Settings
from taxi_assets.simulator.server import Simulator
from taxi_assets.summary import Counter, table
from taxi_assets.upgrade import outdated_months
from taxi_assets.versions import LAYOUT
from taxi_assets.warehouse.factory import open_warehouse
from taxi_assets.wording import counted

__all__ = ["main"]

DEMO_MONTHS = "2024-01:2024-03"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; a wrong argument is reported in one line."""
    try:
        options = _parser().parse_args(arguments)
        code: int = options.command(options)
    except (ValueError, TaxiAssetsError) as error:
        print(f"taxi_assets: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # outside of runs: the home, or the place the output goes to
        print(f"taxi_assets: {error}. Is TAXI_HOME a folder to write to?", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return code


class _Parser(argparse.ArgumentParser):
    """Reports a wrong argument in one line, as every other error."""

    @override
    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m taxi_assets")
    commands = parser.add_subparsers(required=True, metavar="command")
    run = commands.add_parser("run", help="materialize months of datasets")
    run.add_argument("--datasets", nargs="+", default=list(DATASETS), help="default: all four")
    run.add_argument(
        "--months",
        required=True,
        help="one month (2024-01) or an inclusive range (2024-01:2024-03)",
    )
    run.add_argument(
        "--accept-rows",
        type=int,
        metavar="N",
        help="accept the file of this one month with exactly N rows, even 0 or far fewer than the "
        "stored version has",
    )
    run.set_defaults(command=_run)
    demo = commands.add_parser("demo", help="three generated months of every dataset, offline")
    demo.set_defaults(command=_demo)
    upgrade = commands.add_parser("upgrade", help="materialize the months of an older layout again")
    upgrade.set_defaults(command=_upgrade)
    rebuild = commands.add_parser(
        "rebuild", help="repair damaged objects of the lake, and load the warehouse from the lake"
    )
    rebuild.add_argument(
        "what", nargs="?", choices=["lake", "warehouse"], help="only one of them; default: both"
    )
    rebuild.add_argument("--datasets", nargs="+", default=list(DATASETS), help="default: all four")
    rebuild.set_defaults(command=_rebuild)
    ui = commands.add_parser("ui", help="Dagster's web server and daemon on 127.0.0.1")
    ui.add_argument("--port", type=int, default=3000)
    ui.set_defaults(command=_ui)
    checking = commands.add_parser(
        "check", help="probe the configured lake, warehouse and source; leaves nothing behind"
    )
    checking.add_argument(
        "--notify", action="store_true", help="send a message to each notification channel too"
    )
    checking.set_defaults(command=_check)
    return parser


def _run(options: argparse.Namespace) -> int:
    specs = [dataset(name) for name in options.datasets]
    if not options.months.strip():
        raise ValueError("no months are given: use make run MONTHS=2024-01 or 2024-01:2024-03")
    months = parse_months(options.months)
    settings = Settings.from_env()
    for spec in specs:
        _require_published_range(spec, months)
    pairs = list(product(specs, months))
    if options.accept_rows is not None and len(pairs) > 1:
        raise ValueError(
            f"--accept-rows is for one month of one dataset, and {len(pairs)} are given"
        )
    with prepared(settings) as instance:
        runs = month_runs(pairs, accept_rows=options.accept_rows)
        return _materialize(instance, settings, runs)


def _demo(options: argparse.Namespace) -> int:  # noqa: ARG001 - it has no options
    months = parse_months(DEMO_MONTHS)
    os.environ[SOURCE_FORMAT.name] = FileFormat.PARQUET.value  # whatever the real source has
    settings = Settings.from_env()
    with prepared(settings) as instance, Simulator(settings.home / "simulator") as simulator:
        print(f"A simulated TLC at {simulator.url} publishes generated months:")
        simulator.publish_zones()
        for spec in DATASETS.values():
            for month in months:
                simulator.publish(spec.name, month)
            print(f"  {spec.name} {DEMO_MONTHS}", flush=True)
        os.environ[TLC_URL.name] = simulator.url
        runs = month_runs(list(product(DATASETS.values(), months)))
        code = _materialize(instance, settings, runs)
    if settings.lake_url.startswith("file:"):
        print("These trips are generated. Run make clean before loading real ones.")
    return code


def _upgrade(options: argparse.Namespace) -> int:  # noqa: ARG001 - it has no options
    settings = Settings.from_env()
    with prepared(settings) as instance:
        warehouse = open_warehouse(settings.warehouse_url, memory_limit=settings.memory_limit)
        months = outdated_months(open_store(settings.lake_url), warehouse)
        if not months:
            print(f"Every month is up to date (layout {LAYOUT}).")
            return 0
        print(f"Upgrading {counted(len(months), 'month')} to layout {LAYOUT}.")
        return _materialize(instance, settings, month_runs(months))


def _rebuild(options: argparse.Namespace) -> int:
    datasets = [dataset(name).name for name in options.datasets]
    settings = Settings.from_env()
    code = 0
    with prepared(settings) as instance:
        if options.what != "warehouse":
            damaged = damaged_objects(settings, datasets)
            if runs := repairs(settings, damaged):
                code |= _materialize(instance, settings, runs)
            if damaged and damaged_objects(settings, datasets, only=damaged):
                code = 1
        if options.what != "lake":
            runs = reloads(settings, datasets)
            print(f"{counted(len(runs), 'run')} to load what the warehouse lacks of the lake.")
            if runs:
                code |= _materialize(instance, settings, runs)
    return code


def _ui(options: argparse.Namespace) -> int:
    settings = Settings.from_env()
    prepared(settings).dispose()
    return serve(options.port, settings.home)


def _check(options: argparse.Namespace) -> int:
    def write(line: str) -> None:
        print(line, flush=True)

    return 0 if check(Settings.from_env(), write, notify=options.notify) else 1


def _materialize(
    instance: dg.DagsterInstance,
    settings: Settings,
    runs: Sequence[Requested],
) -> int:
    finished = run_all(instance, settings.home / "commands", runs)
    months = [run.month for run in runs if run.month]
    counter = Counter(settings)
    rows = [counter.count(spec, month) for spec, month in months]
    print("", *table(rows, finished.seconds), "", sep="\n")
    print(f"lake       {counter.lake_url}\nwarehouse  {counter.warehouse_url}")
    path = warehouse_address(settings.warehouse_url).path
    if path and months:
        print(f"query it   {_query(path, months[0][0])}")
    print("browse it  make ui")
    if outdated := counter.outdated({spec.name for spec, _ in months}):
        print(f"outdated   {outdated}: of an older release; run python -m taxi_assets upgrade")
    for warning in finished.warnings:
        print(f"warning    {warning}", file=sys.stderr)
    for storage, reason in counter.uncounted.items():
        print(f"uncounted  {storage}: {reason}", file=sys.stderr)
    for failure in finished.failures:
        print(f"FAILED     {failure}", file=sys.stderr)
    return 1 if finished.failures else 0


def _query(path: Path, spec: DatasetSpec) -> str:
    """A command to paste into a shell."""
    file = json.dumps(str(path), ensure_ascii=False)
    query = f'"FROM {spec.name}_trips LIMIT 5"'
    program = f"import duckdb; duckdb.connect({file}, read_only=True).sql({query}).show()"
    return shlex.join([".venv/bin/python", "-c", program])


def _require_published_range(spec: DatasetSpec, months: Sequence[Month]) -> None:
    known = monthly(spec).get_partition_keys()
    outside = [str(month) for month in months if str(month) not in known]
    if outside:
        raise ValueError(
            f"{spec.name} has no month {outside[0]}: TLC publishes it from {known[0]} on, and "
            f"{known[-1]} is the newest month that can be published today"
        )
