"""Full disks: scratch, lake, warehouse or home on a small file system with little space left.

The file system is a tmpfs, which needs the right to mount. A file of ballast leaves a seeded number
of bytes free.
"""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from taxi_assets_tests.faults import checks
from taxi_assets_tests.faults.bench import Bench, Subject
from taxi_assets_tests.faults.child import Hung
from taxi_assets_tests.faults.platform import load_month
from taxi_assets_tests.faults.result import Finding, Result, Wrong

__all__ = ["disks"]

_PAIR = "local-duckdb"
_SIZES = 25  # of each folder, at scale 1
_DISK_BYTES = 64 << 20
_PAGE = 4096
_MOST_FREE = 24  # pages: with more, a run of the month succeeds
_FOLDERS = ("scratch", "lake", "warehouse", "home")


def disks(bench: Bench, pair: str) -> Iterator[Result]:
    """Fill each folder's disk up to many sizes, and run the reissue of a month there."""
    rng = random.Random(f"{bench.seed} disk {pair}")
    for folder in _FOLDERS:
        kind = f"full disk of {folder}"
        try:
            with _small_disk(bench) as disk:
                yield from _filled(bench, rng, kind, folder, disk)
        except _NotPermitted as reason:
            yield Result(kind, pair, "", skipped=str(reason))


def _filled(
    bench: Bench, rng: random.Random, kind: str, folder: str, disk: Path
) -> Iterator[Result]:
    subject = _subject(bench, folder, disk)
    for number in range(bench.scaled(_SIZES)):
        free = rng.randrange(_MOST_FREE) * _PAGE
        before, new = subject.loaded, subject.reissue()
        ballast = disk / "ballast"
        findings: list[Finding] = []
        outcome = ""
        try:
            disk.mkdir(exist_ok=True)
            _fill(ballast, free)
            outcome = subject.start(load_month).wait().value or ""
            findings += _failed_well(outcome)
            ballast.unlink()
            findings += subject.settle([before, new])
        except Hung as hung:
            findings.append(Finding(Wrong.HANG, str(hung)))
        ballast.unlink(missing_ok=True)
        if outcome or findings:  # else there was space enough
            yield Result(kind, _PAIR, f"{number}: {free} bytes free", tuple(findings))
        if findings:
            subject.discard()
            subject = _subject(bench, folder, disk / str(number))
    subject.discard()


def _failed_well(outcome: str) -> list[Finding]:
    """A failure for want of space is one line that says so."""
    findings = checks.named(outcome)
    words = ("space", "disk", "full", "No space left")
    if outcome and not findings and not any(word in outcome for word in words):
        findings.append(Finding(Wrong.UNNAMED, f"does not name the disk: {outcome}"))
    return findings


def _subject(bench: Bench, folder: str, disk: Path) -> Subject:
    """A place of which one folder is on the small disk."""
    own = {
        "scratch": {"TAXI_SCRATCH": str(disk / "scratch")},
        "lake": {"TAXI_LAKE_URL": (disk / "lake").as_uri()},
        "warehouse": {"TAXI_WAREHOUSE_URL": f"duckdb:///{disk / 'warehouse.duckdb'}"},
        "home": {
            "TAXI_HOME": str(disk),
            "TAXI_SCRATCH": str(disk / "scratch"),
            "TAXI_LAKE_URL": (disk / "lake").as_uri(),
            "TAXI_WAREHOUSE_URL": f"duckdb:///{disk / 'warehouse.duckdb'}",
        },
    }[folder]
    return bench.subject(_PAIR, settings=own)


def _fill(ballast: Path, free: int) -> None:
    """Leave ``free`` bytes on the disk."""
    now = os.statvfs(ballast.parent)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(_PAGE, now.f_bavail * now.f_frsize - free))


class _NotPermitted(Exception):
    """File systems cannot be mounted here."""


@contextmanager
def _small_disk(bench: Bench) -> Iterator[Path]:
    path = bench.stores.folder()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "taxi-faults", str(path)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise _NotPermitted(f"a small file system cannot be mounted: {done.stderr.strip()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
