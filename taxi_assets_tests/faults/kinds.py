"""The kinds of faults, by the names that the command line takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from taxi_assets_tests.faults.bench import Bench
from taxi_assets_tests.faults.cases import canaries, hostile_files, hostile_servers
from taxi_assets_tests.faults.daemon import daemon
from taxi_assets_tests.faults.disks import disks
from taxi_assets_tests.faults.kills import kills
from taxi_assets_tests.faults.polling import polling
from taxi_assets_tests.faults.races import races
from taxi_assets_tests.faults.result import Result
from taxi_assets_tests.faults.stores import PAIRS
from taxi_assets_tests.faults.wire import wire

__all__ = ["KINDS", "Kind"]


@dataclass(frozen=True, slots=True)
class Kind:
    """``inject`` yields a result for each fault on one of the ``stores``."""

    inject: Callable[[Bench, str], Iterator[Result]]
    stores: Sequence[str] = PAIRS


_NONE = ("none",)

KINDS = {
    "kill": Kind(kills),
    "race": Kind(races),
    "poll": Kind(polling),
    "disk": Kind(disks, PAIRS[:1]),
    "server": Kind(hostile_servers, _NONE),
    "file": Kind(hostile_files, _NONE),
    "wire": Kind(wire, PAIRS[1:]),
    "canary": Kind(canaries, _NONE),
    # The last, because it leaves a client with threads.
    "daemon": Kind(daemon, PAIRS[:1]),
}
