"""Generate months and serve them: ``python -m taxi_assets.simulator --help``.

Belongs here: the command line. Does not: anything a program would do with ``Simulator``.
"""

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the process's exit status."""
    options = _parser().parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGINT):  # SIGINT is ignored in a shell's background
        signal.signal(number, signal.default_int_handler)
    try:
        wanted = _wanted(options.datasets, options.months)
        _generate(options.folder, wanted, options.rows, options.seed)
        if options.serve:
            _serve(options.folder, options.port)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 2
    except KeyboardInterrupt:
        _say("stopped")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m taxi_assets.simulator",
        description="A local TLC: generates months of trips and serves them on 127.0.0.1 as "
        "TLC's site does. Faults are set by POST to /_faults; /_requests lists the requests.",
    )
    parser.add_argument("--folder", type=Path, required=True, help="what to fill and to serve")
    parser.add_argument("--port", type=int, default=8081, help="0 takes a free one (default 8081)")
    parser.add_argument(
        "--months",
        help="generate these: one month (2024-01) or an inclusive range (2024-01:2024-03); "
        "without it the folder is served as it is",
    )
    parser.add_argument(
        "--datasets", nargs="+", choices=DATASETS, default=DATASETS, help="default: all four"
    )
    parser.add_argument("--rows", type=int, help="rows of each month (default: a small month)")
    parser.add_argument("--seed", type=int, default=0, help="other seeds, other trips (default 0)")
    parser.add_argument(
        "--serve",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="serve until interrupted (default), or only generate",
    )
    return parser


def _wanted(datasets: Sequence[str], months: str | None) -> list[tuple[str, Month]]:
    """What to generate; raises ``ValueError`` before anything is written."""
    if months is None:
        return []
    wanted = [(dataset, month) for month in parse_months(months) for dataset in datasets]
    for dataset, month in wanted:
        schema_for(dataset, month)
    return wanted


def _generate(
    folder: Path, wanted: Sequence[tuple[str, Month]], rows: int | None, seed: int
) -> None:
    publish_zones(folder)
    for dataset, month in wanted:
        path = publish_month(folder, dataset, month, rows=rows, seed=seed)
        _say(f"generated {path.name} ({path.stat().st_size:,} bytes)")


def _serve(folder: Path, port: int) -> None:
    """Serve until interrupted."""
    try:
        simulator = Simulator(folder, port)
    except OSError as error:
        raise OSError(f"cannot serve on port {port} ({error}); give another --port") from error
    with simulator:
        _say(f"serving {folder} at {simulator.url}")
        for path in sorted((folder / TRIPS).glob("[!.]*")) + sorted((folder / MISC).glob("[!.]*")):
            _say(f"  {simulator.url}/{path.parent.name}/{path.name}")
        threading.Event().wait()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
