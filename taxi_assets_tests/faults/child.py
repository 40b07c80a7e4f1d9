"""Run a function in a forked process: fast to start, safe to kill, bounded in time.

The parent imports everything once and must have no threads of its own, because only the thread that
forks continues in the child. So everything that opens a client or a database runs in a child, the
checks too.
"""

from __future__ import annotations

import atexit
import os
import pickle
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar, cast

__all__ = ["Child", "Ended", "Hung", "call"]

Value = TypeVar("Value")

HANG_SECONDS = 120.0
"""How long a month of some hundred rows may take; it takes about one second."""


class Hung(Exception):
    """The child did not end in time; it was killed."""


@dataclass(frozen=True, slots=True)
class Ended(Generic[Value]):
    """How a child ended: with a value or, without one, by a signal."""

    value: Value | None
    signal: int | None
    output: str


class Child(Generic[Value]):
    """``work`` in a process of its own, with ``environment`` and its output in ``log``."""

    def __init__(
        self, work: Callable[[], Value], environment: Mapping[str, str], log: Path
    ) -> None:
        assert threading.active_count() == 1, threading.enumerate()
        self._log = log
        self._read, write = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._read)
            _run(work, environment, log, write)
        os.close(write)

    def kill(self) -> None:
        """Kill the process; nothing of it can react."""
        os.kill(self.pid, signal.SIGKILL)

    def ended(self, within: float) -> bool:
        """Whether the process ends within so many seconds."""
        return bool(select.select([self._read], [], [], within)[0])

    def wait(self, seconds: float = HANG_SECONDS) -> Ended[Value]:
        """Wait for the end; raises ``Hung`` after ``seconds``, and what the child raised."""
        written = b""
        deadline = time.monotonic() + seconds
        hung = False
        while True:
            if not self.ended(max(0.0, deadline - time.monotonic())):
                hung = True
                self.kill()
            if not (chunk := os.read(self._read, 1 << 20)):
                break
            written += chunk
        os.close(self._read)
        _, status = os.waitpid(self.pid, 0)
        output = self._log.read_text(errors="replace") if self._log.exists() else ""
        if hung:
            raise Hung(f"no end after {seconds:.0f} s; {output[-500:]}")
        if os.WIFSIGNALED(status):
            return Ended(None, os.WTERMSIG(status), output)
        ok, value = pickle.loads(written)
        if not ok:
            raise RuntimeError(f"{value}\n{output[-2000:]}")
        return Ended(cast("Value", value), None, output)


def call(work: Callable[[], Value], environment: Mapping[str, str], log: Path) -> Value:
    """The result of ``work`` in a child."""
    ended = Child(work, environment, log).wait()
    assert ended.signal is None, ended
    return cast("Value", ended.value)


def _run(
    work: Callable[[], Any], environment: Mapping[str, str], log: Path, write: int
) -> NoReturn:
    try:
        sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        os.environ.update(environment)
        try:
            answer = (True, work())
        except BaseException:  # noqa: BLE001 - the parent raises it
            answer = (False, traceback.format_exc())
        atexit._run_exitfuncs()  # as a process that ends does
        sys.stdout.flush()
        sys.stderr.flush()
        with os.fdopen(write, "wb") as pipe:
            pipe.write(pickle.dumps(answer))
    finally:
        os._exit(0)
