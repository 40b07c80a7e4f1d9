"""Inject kinds on stores in several processes, each with tools of its own.

A worker takes the next task when it has finished one. Workers have no threads, because they fork,
so tasks and results go through plain pipes.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection, Pipe, wait

from taxi_assets_tests.faults.bench import Bench, bench
from taxi_assets_tests.faults.kinds import KINDS
from taxi_assets_tests.faults.result import Result

__all__ = ["Task", "inject"]

Task = tuple[str, str]
"""A kind, by its name, and the stores to inject it on."""


def inject(
    tasks: Sequence[Task], seed: int, scales: Mapping[str, float], processes: int
) -> Iterator[tuple[Task, Result | None]]:
    """The results of ``tasks`` as they come; ``None`` when a task has ended.

    ``scales`` are the shares of the faults to inject, by kind.
    Raises ``RuntimeError`` if a worker ends before its tasks, or with requests to its emulators
    that the real services refuse.
    """
    take, give = os.pipe()
    os.write(give, bytes(range(len(tasks))))
    os.close(give)
    workers = [_start(tasks, seed, scales, take, number, processes) for number in range(processes)]
    os.close(take)
    open_, ended = list(workers), 0
    while open_:
        for connection in wait(open_):
            assert isinstance(connection, Connection)
            try:
                task, result = connection.recv()
            except EOFError:
                open_.remove(connection)
                continue
            ended += result is None
            yield task, result
    codes = [os.wait()[1] for _ in workers]
    if ended < len(tasks) or any(codes):
        raise RuntimeError(f"{len(tasks) - ended} of {len(tasks)} tasks did not end; see above")


def _start(
    tasks: Sequence[Task],
    seed: int,
    scales: Mapping[str, float],
    take: int,
    number: int,
    processes: int,
) -> Connection:
    """Fork a worker; the connection has its results."""
    results, sink = Pipe(duplex=False)
    sys.stdout.flush()
    if os.fork() == 0:
        code = 1
        try:
            results.close()
            _own_ports(number, processes)
            with bench(seed) as tools:
                while at := os.read(take, 1):
                    task = tasks[at[0]]
                    for result in _results(replace(tools, scale=scales[task[0]]), task):
                        sink.send((task, result))
                    sink.send((task, None))
            code = 0
        except BaseException:  # noqa: BLE001 - the parent sees the end, people the traceback
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stderr.flush()
            os._exit(code)
    sink.close()
    return results


def _results(tools: Bench, task: Task) -> Iterator[Result]:
    name, stores = task
    reason = tools.stores.unavailable(stores)
    if reason:
        yield Result(name, stores, "", skipped=reason)
        return
    started = time.monotonic()
    count = 0
    for result in KINDS[name].inject(tools, stores):
        count += 1
        yield result
    print(f"{name} on {stores}: {count} in {time.monotonic() - started:.0f} s", flush=True)


def _own_ports(number: int, processes: int) -> None:
    """Divide this process's share of the ports (``free_port``) among its workers."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    os.environ["PYTEST_XDIST_WORKER"] = f"gw{worker + number * workers}"
    os.environ["PYTEST_XDIST_WORKER_COUNT"] = str(workers * processes)
