"""Run a command with emulators: ``python -m taxi_assets_tests.emulators gcs s3 -- COMMAND …``.

They start empty and stop with the command, which gets their addresses in environment variables.
Then it prints which methods of Google's and S3's APIs were called, and what was wrong with calls.
Exits with the command's exit code, or with 1 if a call was wrong.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from contextlib import ExitStack

from taxi_assets_tests.emulators import azure, bigquery, gcs, postgres, s3
from taxi_assets_tests.emulators.recording.record import reports, take_violations
from taxi_assets_tests.emulators.server import ServerFailed, Unavailable

_NAMES = ("gcs", "bigquery", "s3", "azure", "postgres")


def main() -> int:
    parser = argparse.ArgumentParser(description="Run a command with local emulators.")
    parser.add_argument("names", nargs="+", choices=_NAMES, metavar="NAME", help=", ".join(_NAMES))
    options, command = _split(sys.argv[1:])
    names = set(parser.parse_args(options).names)
    if not command:
        parser.error("no command: add it after --")
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # unwinds the stack
    with ExitStack() as stack:
        try:
            environment = _start(names, stack)
        except (Unavailable, ServerFailed) as reason:
            print(reason, file=sys.stderr)
            return 1
        code = subprocess.run(command, env=os.environ | environment, check=False).returncode
        print(*reports(), sep="\n")
        return code or int(bool(take_violations()))


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """The arguments before and after ``--``."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def _start(names: set[str], stack: ExitStack) -> dict[str, str]:
    """Start ``names``, and Cloud Storage for BigQuery; return the clients' environment."""
    environment: dict[str, str] = {}
    if names & {"gcs", "bigquery"}:
        storage = stack.enter_context(gcs.running())
        environment |= storage.environment
        if "bigquery" in names:
            environment |= stack.enter_context(bigquery.running(storage)).environment
    if "s3" in names:
        environment |= stack.enter_context(s3.running()).environment
    if "azure" in names:
        environment |= stack.enter_context(azure.running()).environment
    if "postgres" in names:
        environment |= stack.enter_context(postgres.running()).environment
    return environment


if __name__ == "__main__":
    sys.exit(main())
