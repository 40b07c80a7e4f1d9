"""Fault injection: which faults the simulator injects, for which paths, how often.

``handler`` carries them out; add a new ``Kind`` in both modules.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import Any

__all__ = ["Fault", "Faults", "Kind"]

_ALL_PATHS = "*"


class Kind(StrEnum):
    """The kinds of fault."""

    STATUS = "status"  # an error status instead of the file
    HTML = "html"  # a web page under status 200 instead of the file
    STALL = "stall"  # a delay before the right response
    CUT = "cut"  # the connection is cut within the body
    CORRUPT = "corrupt"  # one wrong byte in the middle of the file, under the right ETag


@dataclass(slots=True)
class Fault:
    """One fault; ``path`` is a shell pattern, ``times`` counts down (None: until cleared).

    ``status`` and ``retry_after`` (seconds) are for STATUS, ``seconds`` for STALL, ``after_bytes``
    of the response body for CUT. CUT and CORRUPT apply to the next GET that is answered with a
    file, the others to the next request. Raises ``ValueError`` for invalid values.
    """

    kind: Kind
    path: str = _ALL_PATHS
    times: int | None = 1
    status: int = 503
    retry_after: int | None = None
    seconds: float = 0.0
    after_bytes: int = 0

    def __post_init__(self) -> None:
        self.kind = Kind(self.kind)
        if self.times is not None and self.times < 1:
            raise ValueError(f"times must be 1 or more, or null for no limit; not {self.times}")
        if self.status < 400 or self.status not in {known.value for known in HTTPStatus}:
            raise ValueError(f"status must be a known error, 400 or more; not {self.status}")
        if self.seconds < 0 or self.after_bytes < 0:
            raise ValueError("seconds and after_bytes must not be negative")

    @classmethod
    def from_json(cls, values: object) -> Fault:
        """Read a JSON object; raises ``ValueError`` with a one-line message."""
        if not isinstance(values, Mapping):
            raise ValueError("a fault is a JSON object, such as {'kind': 'status', 'status': 503}")
        try:
            return cls(**values)
        except TypeError as error:
            fields = ", ".join(cls.__dataclass_fields__)
            raise ValueError(f"cannot read the fault ({error}); its fields are {fields}") from None


class Faults:
    """The pending faults; thread-safe."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Queue ``fault`` behind those added before."""
        with self._lock:
            self._faults.append(fault)

    def fail(
        self,
        status: int = 503,
        *,
        path: str = _ALL_PATHS,
        times: int | None = 1,
        retry_after: int | None = None,
    ) -> None:
        """Answer with ``status``, and with ``Retry-After`` if given, in seconds."""
        self.add(Fault(Kind.STATUS, path, times, status=status, retry_after=retry_after))

    def block(self) -> None:
        """Answer 403 to every request, as TLC does to a blocked client, until cleared."""
        self.fail(403, times=None)

    def html(self, *, path: str = _ALL_PATHS, times: int | None = 1) -> None:
        """Answer 200 with a web page."""
        self.add(Fault(Kind.HTML, path, times))

    def stall(self, seconds: float, *, path: str = _ALL_PATHS, times: int | None = 1) -> None:
        """Wait ``seconds`` before the response."""
        self.add(Fault(Kind.STALL, path, times, seconds=seconds))

    def cut(self, after_bytes: int, *, path: str = _ALL_PATHS, times: int | None = 1) -> None:
        """Cut the connection after that many bytes of a response body."""
        self.add(Fault(Kind.CUT, path, times, after_bytes=after_bytes))

    def corrupt(self, *, path: str = _ALL_PATHS, times: int | None = 1) -> None:
        """Send one wrong byte in the middle of the file."""
        self.add(Fault(Kind.CORRUPT, path, times))

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()

    def take(self, path: str, *kinds: Kind) -> Fault | None:
        """The first pending fault of those kinds for ``path``; counts it down."""
        with self._lock:
            for fault in self._faults:
                if fault.kind in kinds and fnmatchcase(path, fault.path):
                    self._count_down(fault)
                    return fault
        return None

    def as_json(self) -> list[dict[str, Any]]:
        """The pending faults in their order."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def _count_down(self, fault: Fault) -> None:
        if fault.times is None:
            return
        fault.times -= 1
        if fault.times == 0:
            self._faults.remove(fault)
