"""The recorder's proxy, started by ``record``; it also enforces what ``preconditions`` has.

python -m taxi_assets_tests.emulators.recording.recorder MODEL PORT SERVER_PORT FOLDER
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TextIO

import h11
from typing_extensions import override

from taxi_assets_tests.emulators.http_proxy import HttpProxy, Visit
from taxi_assets_tests.emulators.recording.discovery import Discovery
from taxi_assets_tests.emulators.recording.preconditions import (
    GcsPreconditions,
    Preconditions,
    S3Preconditions,
)
from taxi_assets_tests.emulators.recording.request import (
    CALLS,
    VIOLATIONS,
    Call,
    Model,
    RequestHead,
)
from taxi_assets_tests.emulators.recording.s3_model import S3Model

__all__ = ["Recorder"]

_MODELS: dict[str, Callable[[], Model]] = {
    "gcs": partial(Discovery, "storage.v1"),
    "bigquery": partial(Discovery, "bigquery.v2"),
    "s3": S3Model,
}


_PRECONDITIONS: dict[str, Callable[[str], Preconditions]] = {
    "gcs": GcsPreconditions,
    "s3": S3Preconditions,
}


class Recorder:
    """Writes each call, and each violation, before the server gets the end of the request."""

    def __init__(self, model: Model, folder: Path, conditions: Preconditions | None) -> None:
        self.model, self.conditions = model, conditions
        self.one_at_a_time = threading.Lock()
        self._lock = threading.Lock()
        self._calls: TextIO = (folder / CALLS).open("a")
        self._violations: TextIO = (folder / VIOLATIONS).open("a")

    def write(self, head: RequestHead, call: Call) -> None:
        """Write a call whose body has been checked."""
        line = json.dumps({"method": call.method, "fields": sorted(call.fields)})
        with self._lock:
            print(line, file=self._calls, flush=True)
            for each in call.violations:
                what = f"{head.method} {head.path} ({call.method})"
                print(f"{what}: {each}", file=self._violations, flush=True)


class _Recorded(Visit):
    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._body = bytearray()
        self._alone = False

    @override
    def request(self, request: h11.Request) -> None:
        self._head = RequestHead.of(
            request.method.decode(), request.target.decode(), _headers(request)
        )
        self._call = self._recorder.model.begin(self._head)
        conditions = self._recorder.conditions
        if conditions is not None and conditions.is_conditional(self._head):
            # Before the server has any of it, which may be all.
            self._alone = self._recorder.one_at_a_time.acquire()
            if refusal := conditions.violated(self._head):
                raise refusal

    @override
    def request_data(self, data: bytes) -> None:
        limit = self._call.body_limit
        if limit is None or len(self._body) < limit:
            self._body += data

    @override
    def request_end(self) -> None:
        self._recorder.model.check_body(self._call, self._head, bytes(self._body))
        self._recorder.write(self._head, self._call)

    @override
    def response(self, response: h11.Response) -> None:
        self._recorder.model.answered(self._call, _headers(response))
        if self._recorder.conditions is not None:
            body = bytes(self._body)
            self._recorder.conditions.answered(self._head, body, _headers(response))

    @override
    def end(self) -> None:
        if self._alone:
            self._recorder.one_at_a_time.release()


def _headers(message: h11.Request | h11.Response) -> Mapping[str, str]:
    return {name.decode(): value.decode("latin-1") for name, value in message.headers}


def main(model: str, port: str, server_port: str, folder: str) -> None:
    server = ("127.0.0.1", int(server_port))
    enforced = _PRECONDITIONS.get(model)
    conditions = enforced(f"http://127.0.0.1:{server_port}") if enforced else None
    recorder = Recorder(_MODELS[model](), Path(folder), conditions)
    with HttpProxy(int(port), server, lambda: _Recorded(recorder)):
        threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
