"""Faults on demand: what the simulator does wrong, to which paths, how often.

Belongs here: the kinds of fault, which request gets which. Does not: carrying them out
(``handler``).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import Any

EVERYWHERE = "*"


class Kind(StrEnum):
    """What goes wrong."""

    STATUS = "status"  # another status instead of the file
    HTML = "html"  # a web page under status 200 instead of the file
    STALL = "stall"  # no answer for a while, then the right one
    CUT = "cut"  # the connection ends within the body
    CORRUPT = "corrupt"  # one wrong byte in the middle of the file, under the right ETag


@dataclass(slots=True)
class Fault:
    """One fault; ``path`` is a shell pattern, ``times`` counts down (None: until cleared).

    ``status`` and ``retry_after`` (seconds) belong to STATUS, ``seconds`` to STALL,
    ``after_bytes`` of a response's body to CUT. CUT and CORRUPT wait for a GET that is answered
    with a file; the others take the next request. Raises ``ValueError`` for impossible values.
    """

    kind: Kind
    path: str = EVERYWHERE
    times: int | None = 1
    status: int = 503
    retry_after: int | None = None
    seconds: float = 0.0
    after_bytes: int = 0

    def __post_init__(self) -> None:
        self.kind = Kind(self.kind)
        if self.times is not None and self.times < 1:
            raise ValueError(f"times must be 1 or more, or null for ever; not {self.times}")
        if self.status < 400 or self.status not in {known.value for known in HTTPStatus}:
            raise ValueError(f"status must be a known error, 400 or more; not {self.status}")
        if self.seconds < 0 or self.after_bytes < 0:
            raise ValueError("seconds and after_bytes must not be negative")

    @classmethod
    def from_json(cls, values: object) -> Fault:
        """Read a JSON object; raises ``ValueError`` with one line that says what is wrong."""
        if not isinstance(values, Mapping):
            raise ValueError("a fault is a JSON object, such as {'kind': 'status', 'status': 503}")
        try:
            return cls(**values)
        except TypeError as error:
            fields = ", ".join(cls.__dataclass_fields__)
            raise ValueError(f"cannot read the fault ({error}); its fields are {fields}") from None


class Faults:
    """The faults that wait for a request; safe to use from any thread."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Let ``fault`` wait for its requests, behind those added before."""
        with self._lock:
            self._faults.append(fault)

    def fail(
        self,
        status: int = 503,
        *,
        path: str = EVERYWHERE,
        times: int | None = 1,
        retry_after: int | None = None,
    ) -> None:
        """Answer with ``status``, and with ``Retry-After`` when seconds are given."""
        self.add(Fault(Kind.STATUS, path, times, status=status, retry_after=retry_after))

    def block(self) -> None:
        """Answer 403 to everything, as TLC does to a client it blocks, until cleared."""
        self.fail(403, times=None)

    def html(self, *, path: str = EVERYWHERE, times: int | None = 1) -> None:
        """Answer 200 with a web page."""
        self.add(Fault(Kind.HTML, path, times))

    def stall(self, seconds: float, *, path: str = EVERYWHERE, times: int | None = 1) -> None:
        """Wait ``seconds`` before the answer."""
        self.add(Fault(Kind.STALL, path, times, seconds=seconds))

    def cut(self, after_bytes: int, *, path: str = EVERYWHERE, times: int | None = 1) -> None:
        """End the connection after that many bytes of a response's body."""
        self.add(Fault(Kind.CUT, path, times, after_bytes=after_bytes))

    def corrupt(self, *, path: str = EVERYWHERE, times: int | None = 1) -> None:
        """Send one wrong byte in the middle of the file."""
        self.add(Fault(Kind.CORRUPT, path, times))

    def clear(self) -> None:
        """Behave again."""
        with self._lock:
            self._faults.clear()

    def take(self, path: str, *kinds: Kind) -> Fault | None:
        """The first waiting fault of those kinds for ``path``; counts it down."""
        with self._lock:
            for fault in self._faults:
                if fault.kind in kinds and fnmatchcase(path, fault.path):
                    self._count_down(fault)
                    return fault
        return None

    def as_json(self) -> list[dict[str, Any]]:
        """The waiting faults, first to come first."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def _count_down(self, fault: Fault) -> None:
        if fault.times is None:
            return
        fault.times -= 1
        if fault.times == 0:
            self._faults.remove(fault)
