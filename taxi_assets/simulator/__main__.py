"""Generate months and serve them: ``python -m taxi_assets.simulator --help``."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from taxi_assets.datasets.month import Month, parse_months
from taxi_assets.simulator.eras import DATASETS, schema_for
from taxi_assets.simulator.publisher import MISC, TRIPS, publish_month, publish_zones
from taxi_assets.simulator.server import Simulator

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the process's exit status."""
    options = _parser().parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):  # shells ignore SIGINT for background jobs
        signal.signal(number, signal.default_int_handler)
    try:
        requested = _requested(options.datasets, options.months)
        _generate(options.folder, requested, options.rows, options.seed)
        if options.serve:
            _serve(options.folder, options.port)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 2
    except KeyboardInterrupt:
        _print("stopped")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m taxi_assets.simulator",
        description="A local TLC: generates months of trips and serves them on 127.0.0.1 as "
        "TLC's site does. Faults are set by POST to /_faults; /_requests lists the requests.",
    )
    parser.add_argument(
        "--folder", type=Path, required=True, help="the folder to generate into and to serve"
    )
    parser.add_argument("--port", type=int, default=8081, help="0 for any free port (default 8081)")
    parser.add_argument(
        "--months",
        help="the months to generate: one (2024-01) or an inclusive range (2024-01:2024-03); "
        "without it the folder is served as is",
    )
    parser.add_argument(
        "--datasets", nargs="+", choices=DATASETS, default=DATASETS, help="default: all four"
    )
    parser.add_argument("--rows", type=int, help="rows per month (default: a small month)")
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the generated trips (default 0)"
    )
    parser.add_argument(
        "--serve",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="serve until interrupted (default), or only generate",
    )
    return parser


def _requested(datasets: Sequence[str], months: str | None) -> list[tuple[str, Month]]:
    """The months to generate; raises ``ValueError`` before anything is written."""
    if months is None:
        return []
    requested = [(dataset, month) for month in parse_months(months) for dataset in datasets]
    for dataset, month in requested:
        schema_for(dataset, month)
    return requested


def _generate(
    folder: Path, requested: Sequence[tuple[str, Month]], rows: int | None, seed: int
) -> None:
    publish_zones(folder)
    for dataset, month in requested:
        path = publish_month(folder, dataset, month, rows=rows, seed=seed)
        _print(f"generated {path.name} ({path.stat().st_size:,} bytes)")


def _serve(folder: Path, port: int) -> None:
    """Serve until interrupted."""
    try:
        simulator = Simulator(folder, port)
    except OSError as error:
        raise OSError(f"cannot serve on port {port} ({error}); give another --port") from error
    with simulator:
        _print(f"serving {folder} at {simulator.url}")
        for path in sorted((folder / TRIPS).glob("[!.]*")) + sorted((folder / MISC).glob("[!.]*")):
            _print(f"  {simulator.url}/{path.parent.name}/{path.name}")
        threading.Event().wait()


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
