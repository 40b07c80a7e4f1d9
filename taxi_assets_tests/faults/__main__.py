"""Inject faults: ``python -m taxi_assets_tests.faults --help``."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from taxi_assets_tests.faults.kinds import KINDS
from taxi_assets_tests.faults.report import page, summary
from taxi_assets_tests.faults.result import Result
from taxi_assets_tests.faults.stores import PAIRS
from taxi_assets_tests.faults.workers import inject

SEED = "TAXI_FAULTS_SEED"


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    started = time.monotonic()
    results: list[Result] = []
    tasks = [
        (name, stores)
        for name in options.only
        for stores in KINDS[name].stores
        if stores in (*options.stores, "none")
    ]
    scales = {name: 1.0 if name in options.full else options.scale for name in KINDS}
    for _, result in inject(tasks, options.seed, scales, options.processes):
        if result is None:
            continue
        results.append(result)
        if result.skipped:
            print(f"skipped {result.kind} on {result.stores}: {result.skipped}", flush=True)
        for found in result.findings:
            where = f"{result.kind} on {result.stores}, {result.fault}"
            print(f"FOUND {found.wrong}: {where}: {found.detail}", flush=True)
        if len(results) % 100 == 0:
            print(f"{len(results)} faults in {time.monotonic() - started:.0f} s", flush=True)
    seconds = time.monotonic() - started
    print(summary(results, options.seed, seconds), flush=True)
    if options.write:
        given = [] if options.scale == 1 else ["--scale", f"{options.scale:g}"]
        given += ["--full", *options.full] if options.full else []
        options.write.write_text(page(results, options.seed, seconds, " ".join(given)))
    return 1 if any(result.findings for result in results) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m taxi_assets_tests.faults",
        description="Inject faults, and look for what must not happen. Exits with 1 if it did.",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=int(os.environ.get(SEED) or 1),
        help=f"the same seed gives the same faults (default: {SEED}, else 1)",
    )
    parser.add_argument("--only", nargs="+", choices=[*KINDS], default=[*KINDS], metavar="KIND")
    parser.add_argument("--stores", nargs="+", choices=PAIRS, default=PAIRS, metavar="PAIR")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the faults (default 1)")
    parser.add_argument(
        "--full",
        nargs="+",
        choices=[*KINDS],
        default=[],
        metavar="KIND",
        help="kinds of which all faults are injected, whatever the scale",
    )
    parser.add_argument("--processes", type=int, default=2, help="at once (default 2)")
    parser.add_argument("--write", type=Path, help="write the table to this file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
