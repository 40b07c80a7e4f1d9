"""What goes wrong on the way to a service, at one request or from one request on."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from enum import Enum

import h11
from typing_extensions import override

from taxi_assets_tests.emulators.http_proxy import Cut, Reply, Silence, Visit
from taxi_assets_tests.faults.gcs_sessions import GcsSessions

__all__ = ["FAULTS", "Fault", "HttpFaults", "Plan", "Stage"]

DELAY_SECONDS = 2.0


class Stage(Enum):
    """When a fault happens."""

    REQUEST = "before the request is sent"
    BODY = "in the middle of the request"
    DONE = "when the server has done its work"
    ANSWER = "in the middle of the answer"


@dataclass(frozen=True, slots=True)
class Fault:
    """A connection that is cut or, with a ``status``, an answer that is not the server's."""

    name: str
    stage: Stage
    status: int = 0
    retry_after: int | None = None
    silent: bool = False
    delayed: bool = False
    always: bool = False
    """Whether all later requests have it too."""
    of_session: bool = False
    """Whether only a part of an upload can have it."""

    @property
    def slow(self) -> bool:
        """Whether a client waits for it for long."""
        return self.silent or self.always


_FAULTS = (
    Fault("cut before the request", Stage.REQUEST),
    Fault("cut in the request", Stage.BODY),
    Fault("answer lost", Stage.DONE),
    Fault("cut in the answer", Stage.ANSWER),
    Fault("cut from then on", Stage.REQUEST, always=True),
    Fault("delay", Stage.REQUEST, delayed=True),
    Fault("silence", Stage.REQUEST, silent=True),
    Fault("silence from then on", Stage.REQUEST, silent=True, always=True),
    Fault("429", Stage.REQUEST, 429, retry_after=2),
    Fault("429 for five minutes", Stage.REQUEST, 429, retry_after=300),
    Fault("500", Stage.REQUEST, 500),
    Fault("503", Stage.REQUEST, 503),
    Fault("503 for what was done", Stage.DONE, 503),
    Fault("503 from then on", Stage.REQUEST, 503, always=True),
    Fault("404 of an upload session", Stage.REQUEST, 404, of_session=True),
    Fault("410 of an upload session", Stage.REQUEST, 410, of_session=True),
)
FAULTS = {fault.name: fault for fault in _FAULTS}


class Plan:
    """Counts the requests of all proxies, and says which of them the ``fault`` hits.

    The ``at``-th is hit (0: none), and with a fault of all later requests those too.
    """

    def __init__(self, fault: Fault | None = None, at: int = 0) -> None:
        self.fault, self.at = fault, at
        self.requests: list[str] = []
        self.of_session: list[bool] = []
        self.struck: float | None = None
        """When the fault first hit a request, in seconds of the monotonic clock."""
        self._lock = threading.Lock()

    def next(self, name: str, *, of_session: bool = False) -> Fault | None:
        """Count a request; the fault that hits it."""
        with self._lock:
            self.requests.append(name)
            self.of_session.append(of_session)
            number = len(self.requests)
        fault = self.fault
        if fault is None or not self.at or number < self.at:
            return None
        if number > self.at and not fault.always:
            return None
        self.struck = self.struck or time.monotonic()
        return fault


class HttpFaults(Visit):
    """A request to ``service`` and the fault that hits it, if one does.

    ``sessions`` are the uploads to Cloud Storage.
    """

    def __init__(self, plan: Plan, service: str, sessions: GcsSessions | None = None) -> None:
        self._plan, self._service, self._sessions = plan, service, sessions
        self._fault: Fault | None = None
        self._left = 0  # bytes of the answer to send before it is cut

    @override
    def request(self, request: h11.Request) -> None:
        target = request.target.decode()
        of_session = any(mark in target for mark in ("upload_id=", "uploadId="))
        name = f"{self._service} {request.method.decode()} {target}"
        self._fault = self._plan.next(name, of_session=of_session)
        if self._fault is not None and self._fault.delayed:
            time.sleep(DELAY_SECONDS)
        self._strike(Stage.REQUEST)
        self._request = request
        if self._sessions is not None:
            self._sessions.answer(request)

    @override
    def request_data(self, data: bytes) -> None:
        self._strike(Stage.BODY)

    @override
    def request_end(self) -> None:
        self._strike(Stage.BODY)

    @override
    def response(self, response: h11.Response) -> None:
        if self._sessions is not None:
            self._sessions.done(self._request, response)
        self._strike(Stage.DONE)
        length = int(dict(response.headers).get(b"content-length", b"0"))
        self._left = length // 2
        if not length:
            self._strike(Stage.ANSWER)

    @override
    def response_data(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            self._strike(Stage.ANSWER)

    def _strike(self, stage: Stage) -> None:
        fault = self._fault
        if fault is None or fault.stage is not stage or fault.delayed:
            return
        if fault.silent:
            raise Silence
        if not fault.status:
            raise Cut
        raise _answer(self._service, fault)


# As the services name them: https://cloud.google.com/storage/docs/json_api/v1/status-codes,
# https://cloud.google.com/bigquery/docs/error-messages, https://docs.aws.amazon.com/AmazonS3/
# latest/API/ErrorResponses.html, https://learn.microsoft.com/rest/api/storageservices/
# common-rest-api-error-codes.
_GOOGLE = {
    404: "notFound", 410: "gone", 429: "rateLimitExceeded", 500: "backendError",
    503: "backendError",
}  # fmt: skip
_S3 = {
    404: "NoSuchUpload", 410: "NoSuchUpload", 429: "TooManyRequests", 500: "InternalError",
    503: "SlowDown",
}  # fmt: skip
_AZURE = {429: "TooManyRequests", 500: "InternalError", 503: "ServerBusy"}


def _answer(service: str, fault: Fault) -> Reply:
    status, message = fault.status, "A fault on purpose."
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if service in ("gcs", "bigquery"):
        errors = [{"reason": _GOOGLE[status], "message": message, "domain": "global"}]
        error = {"code": status, "message": message, "errors": errors}
        headers["Content-Type"] = "application/json"
        return Reply(status, headers, json.dumps({"error": error}).encode())
    code = (_S3 if service == "s3" else _AZURE)[status]
    if service == "azure":
        headers["x-ms-error-code"] = code
    headers["Content-Type"] = "application/xml"
    body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Reply(status, headers, body.encode())
