"""Break the package once for each rule and run the test that must fail: ``make test-mutations``."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from taxi_assets_tests.service_rules import Mutation
from taxi_assets_tests.service_rules.page import SERVICES

__all__ = ["REPOSITORY", "all_mutations", "is_caught"]

REPOSITORY = Path(__file__).resolve().parents[2]
_COPIED = ("taxi_assets", "taxi_assets_tests", "pyproject.toml")


def all_mutations() -> Iterator[Mutation]:
    """The mutations of all rules, in the order of the page."""
    for rules in SERVICES.values():
        yield from (rule.mutation for rule in rules if rule.mutation is not None)


def is_caught(mutation: Mutation) -> bool:
    """Whether the mutation's test fails once the mutation is made in a copy of the repository."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for each in REPOSITORY.iterdir():
            if each.name not in _COPIED and each.name != ".git":
                (copy / each.name).symlink_to(each)
        for name in _COPIED:
            source = REPOSITORY / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / name)
        file = copy / mutation.file
        text = file.read_text()
        assert text.count(mutation.old) == 1, f"{mutation.file}: {mutation.old!r} is not there once"
        file.write_text(text.replace(mutation.old, mutation.new))
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider"]
        ended = subprocess.run(
            [*command, mutation.test],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy)},
            capture_output=True,
            text=True,
            check=False,
        )
    if ended.returncode not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"{mutation.test} cannot be run:\n{ended.stdout}{ended.stderr}")
    return ended.returncode == pytest.ExitCode.TESTS_FAILED


def main() -> int:
    """Make all mutations, or those whose file or test contains a word; print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m taxi_assets_tests.service_rules.mutations")
    parser.add_argument("words", nargs="*")
    words = parser.parse_args().words
    missed = 0
    for mutation in all_mutations():
        if words and not any(word in f"{mutation.file} {mutation.test}" for word in words):
            continue
        caught = is_caught(mutation)
        missed += not caught
        print(f"{'caught' if caught else 'MISSED'}  {mutation.file}: {mutation.old!r}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
