"""Start a recorder in front of an emulator, and read what it has recorded."""

from __future__ import annotations

import json
import socket
import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from taxi_assets_tests.emulators.environments import ROOT
from taxi_assets_tests.emulators.recording.request import CALLS, VIOLATIONS
from taxi_assets_tests.emulators.server import HOST, serving, workspace

__all__ = ["InvalidRequests", "Record", "recording", "reports", "take_violations"]

_WIDTH = 100


class InvalidRequests(AssertionError):
    """Requests that the service's model does not allow."""


@dataclass
class Record:
    """The requests to one emulator until now; ``port`` is the recorder's."""

    service: str
    port: int
    folder: Path
    _taken: int = field(default=0, repr=False)

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"http://{HOST}:{self.port}"

    def take_violations(self) -> list[str]:
        """What is wrong with requests since the last call: method, path, field, problem."""
        path = self.folder / VIOLATIONS
        if not path.exists() or path.stat().st_size == self._taken:
            return []
        with path.open("rb") as file:
            file.seek(self._taken)
            found = file.read()
        self._taken += len(found)
        return found.decode().splitlines()

    def report(self) -> str:
        """Each method with the number of calls and the fields, parameters and headers used."""
        counts: dict[str, int] = defaultdict(int)
        fields: dict[str, set[str]] = defaultdict(set)
        for line in (self.folder / CALLS).read_text().splitlines():
            call = json.loads(line)
            counts[call["method"]] += 1
            fields[call["method"]].update(call["fields"])
        violations = (self.folder / VIOLATIONS).read_text().splitlines()
        return "\n".join(
            [
                f"{self.service}: {sum(counts.values())} requests",
                *(_line(counts[method], method, fields[method]) for method in sorted(counts)),
                f"  violations: {'; '.join(violations) or 'none'}",
            ]
        )


def _line(count: int, method: str, fields: set[str]) -> str:
    inner = [name for name in sorted(fields) if not any(_is_part(each, name) for each in fields)]
    text = f"{count:>7} {' '.join([f'{method}:', *inner])}"
    return textwrap.fill(text, _WIDTH, subsequent_indent=" " * 8, break_on_hyphens=False)


def _is_part(inner: str, outer: str) -> bool:
    return inner.startswith((f"{outer}.", f"{outer}["))


_running: list[Record] = []


@contextmanager
def recording(service: str, port: int, server_port: int) -> Iterator[Record]:
    """A recorder at ``port`` in front of the emulator at ``server_port``, during the block.

    Raises ``InvalidRequests`` at its end if there are violations that nobody has taken.
    """
    command = [sys.executable, "-m", "taxi_assets_tests.emulators.recording.recorder", service]
    with (
        workspace(f"{service}-record") as folder,
        serving(
            [*command, str(port), str(server_port), str(folder)],
            ready=lambda: _listens(port),
            folder=folder,
            environment={"PYTHONPATH": str(ROOT)},
        ),
    ):
        record = Record(service, port, folder)
        _running.append(record)
        try:
            yield record
            if found := record.take_violations():
                raise InvalidRequests("\n".join(found))
        finally:
            _running.remove(record)


def reports() -> list[str]:
    """The reports of all emulators that this process has started."""
    return [record.report() for record in _running]


def take_violations() -> list[str]:
    """The violations of all emulators that this process has started, since the last call."""
    return [each for record in _running for each in record.take_violations()]


def _listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port)).close()
    except OSError:
        return False
    return True
