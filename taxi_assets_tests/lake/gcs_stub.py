"""A stub of GCS's JSON API on loopback, for what the emulator does not support.

That is generation preconditions on every write, rejection of a wrong CRC32C, resumable sessions,
rewrites in several calls, and faults on demand, as in
https://cloud.google.com/storage/docs/json_api.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import google_crc32c

BUCKET = "lake"


@dataclass
class Stored:
    content: bytes
    metadata: dict[str, str]
    generation: int


@dataclass
class Fault:
    """Respond with ``status`` to the next ``times`` requests of ``method`` whose path contains
    ``part`` and whose body contains ``body``; if ``done``, after doing what they ask for.
    """

    method: str
    part: str
    status: int
    message: str = "fault"
    reason: str = "fault"
    times: int = 1
    body: bytes = b""
    done: bool = False

    def matches(self, request: Request) -> bool:
        return (
            self.times > 0
            and self.method == request.method
            and self.part in request.path
            and self.body in request.body
        )


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class GcsStub:
    """One bucket, ``lake``; tests read and set its fields."""

    url: str = ""
    objects: dict[str, Stored] = field(default_factory=dict)
    sessions: dict[str, tuple[str, dict[str, Any], dict[str, str], bytearray]] = field(
        default_factory=dict
    )
    finished: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    seen: list[Request] = field(default_factory=list)
    generation: int = 1000
    damages_content: bool = False
    rewrite_calls: int = 1
    downloads_to_cut: int = 0
    parts_to_cut: int = 0

    def store(self, name: str, content: bytes, metadata: dict[str, str]) -> Stored:
        self.generation += 1
        self.objects[name] = Stored(content, metadata, self.generation)
        return self.objects[name]

    def requests(self, method: str, part: str) -> list[Request]:
        return [one for one in self.seen if one.method == method and part in one.path]


class Rejected(Exception):
    def __init__(self, status: int, message: str, reason: str) -> None:
        super().__init__(message)
        self.status, self.message, self.reason = status, message, reason


def crc32c(content: bytes) -> str:
    return base64.b64encode(google_crc32c.value(content).to_bytes(4, "big")).decode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stub: GcsStub

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - the base class's names

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, unquote(parts.path), query, headers, body)
        self.stub.seen.append(request)
        try:
            self._fail_on_demand(request)
            self._route(request)
        except Rejected as rejected:
            status, message = rejected.status, rejected.message
            error = {"message": message, "reason": rejected.reason, "domain": "global"}
            self._send(status, {"error": {"code": status, "message": message, "errors": [error]}})

    def _fail_on_demand(self, request: Request) -> None:
        self.lost: Rejected | None = None
        fault = next((fault for fault in self.stub.faults if fault.matches(request)), None)
        if fault is None:
            return
        fault.times -= 1
        rejected = Rejected(fault.status, fault.message, fault.reason)
        if not fault.done:
            raise rejected
        self.lost = rejected

    def _route(self, request: Request) -> None:
        if request.path.endswith(f"/b/{BUCKET}"):
            # roles/storage.objectUser does not include it. The client requests it in the
            # background, for names in its traces, and ignores the error.
            raise Rejected(403, "storage.buckets.get denied", "forbidden")
        if not request.path.startswith("/session/") and f"/b/{BUCKET}/" not in request.path:
            raise Rejected(404, "The specified bucket does not exist.", "notFound")
        if request.path.startswith("/session/"):
            self._session(request)
        elif request.path.startswith("/upload/"):
            self._upload(request)
        elif "/rewriteTo/" in request.path:
            self._rewrite(request)
        elif request.path.endswith("/o"):
            names = [name for name in self.stub.objects if name.startswith(request.query["prefix"])]
            self._send(200, {"items": [{"name": name} for name in names]})
        else:
            self._object(request)

    def _object(self, request: Request) -> None:
        name = request.path.partition(f"/b/{BUCKET}/o/")[2]
        stored = self._stored(name)
        self._check(request, name)
        if request.method == "DELETE":
            del self.stub.objects[name]
            self._send(204, None)
        elif request.query.get("alt") == "media":
            self._media(request, stored)
        else:
            self._send(200, _resource(name, stored))

    def _media(self, request: Request, stored: Stored) -> None:
        start = int(re.sub(r"\D", "", request.headers.get("range", "")) or 0)
        content = stored.content[start:]
        headers = {
            "X-Goog-Hash": f"crc32c={crc32c(stored.content)}",
            "X-Goog-Generation": str(stored.generation),
            "Content-Range": f"bytes {start}-{len(stored.content) - 1}/{len(stored.content)}",
        }
        if self.stub.downloads_to_cut:
            self.stub.downloads_to_cut -= 1
            headers["Connection"] = "close"
            self._send(206 if start else 200, content, headers, sent=len(content) // 2)
            return
        self._send(206 if start else 200, content, headers)

    def _upload(self, request: Request) -> None:
        if request.query["uploadType"] == "resumable":
            described = json.loads(request.body)
            session = f"/session/{len(self.stub.sessions)}"
            self.stub.sessions[session] = (
                described["name"], described, request.query, bytearray()
            )  # fmt: skip
            self._send(200, None, {"Location": self.stub.url + session})
            return
        boundary = b"--" + request.headers["content-type"].partition("boundary=")[2].encode().strip(
            b'"'
        )
        _, first, second, _ = request.body.split(boundary)
        described = json.loads(first.partition(b"\r\n\r\n")[2])
        content = second.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
        self._finish(request, described["name"], described, content, described.get("crc32c"))

    def _session(self, request: Request) -> None:
        if request.path in self.stub.finished:
            self._send(200, self.stub.finished[request.path])
            return
        name, described, query, received = self.stub.sessions[request.path]
        span = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", request.headers["content-range"])
        assert span is not None
        assert int(span[1]) <= len(received)
        if int(span[2]) + 1 != int(span[3].replace("*", "0")) and len(request.body) % (256 << 10):
            raise Rejected(400, "Not a multiple of 256 KiB.", "invalid")
        received[int(span[1]) :] = request.body
        if self.stub.parts_to_cut:
            self.stub.parts_to_cut -= 1
            del received[1 << 20 :]
        if span[3] == "*" or len(received) < int(span[3]):
            self._send(308, None, {"Range": f"bytes=0-{len(received) - 1}"})
            return
        request.query.update(query)
        claimed = request.headers.get("x-goog-hash", "").removeprefix("crc32c=")
        self._finish(request, name, described, bytes(received), claimed)

    def _finish(
        self,
        request: Request,
        name: str,
        described: dict[str, Any],
        content: bytes,
        claimed: str | None,
    ) -> None:
        self._check(request, name)
        if claimed != crc32c(content):
            message = f"Provided CRC32C {claimed!r} doesn't match calculated CRC32C."
            raise Rejected(400, message, "invalid")
        if self.stub.damages_content:
            content = content[::-1]
        stored = self.stub.store(name, content, described.get("metadata", {}))
        self.stub.finished[request.path] = _resource(name, stored)
        self._send(200, _resource(name, stored))

    def _rewrite(self, request: Request) -> None:
        source, _, name = request.path.partition(f"/rewriteTo/b/{BUCKET}/o/")
        source = source.partition(f"/b/{BUCKET}/o/")[2]
        stored = self._stored(source)
        self._check(request, name)
        if str(stored.generation) != request.query["ifSourceGenerationMatch"]:
            raise Rejected(412, "The source's generation differs.", "conditionNotMet")
        call = int(request.query.get("rewriteToken", 0)) + 1
        answer: dict[str, Any] = {
            "totalBytesRewritten": len(stored.content),
            "objectSize": len(stored.content),
            "done": call == self.stub.rewrite_calls,
        }
        if answer["done"]:
            given = json.loads(request.body or b"{}").get("metadata", stored.metadata)
            copied = self.stub.store(name, stored.content, dict(given))
            answer["resource"] = _resource(name, copied)
        else:
            answer["rewriteToken"] = str(call)
        self._send(200, answer)

    def _stored(self, name: str) -> Stored:
        if name not in self.stub.objects:
            raise Rejected(404, f"No such object: {BUCKET}/{name}", "notFound")
        return self.stub.objects[name]

    def _check(self, request: Request, name: str) -> None:
        wanted = request.query.get("ifGenerationMatch")
        found = self.stub.objects.get(name)
        if wanted is not None and int(wanted) != (found.generation if found else 0):
            message = "At least one of the pre-conditions you specified did not hold."
            raise Rejected(412, message, "conditionNotMet")

    def _send(
        self,
        status: int,
        body: dict[str, Any] | bytes | None,
        headers: dict[str, str] | None = None,
        sent: int | None = None,
    ) -> None:
        if self.lost is not None:
            lost, self.lost = self.lost, None
            raise lost
        content = json.dumps(body).encode() if isinstance(body, dict) else body or b""
        kind = "application/json" if isinstance(body, dict) else "application/octet-stream"
        self.send_response(status)
        for name, value in {"Content-Type": kind, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:sent])


def _resource(name: str, stored: Stored) -> dict[str, Any]:
    return {
        "name": name,
        "bucket": BUCKET,
        "size": str(len(stored.content)),
        "generation": str(stored.generation),
        "metadata": stored.metadata,
        "crc32c": crc32c(stored.content),
    }


@contextmanager
def running() -> Iterator[GcsStub]:
    """A stub on a free loopback port, stopped after the block."""
    stub = GcsStub()
    handler = type("Handler", (_Handler,), {"stub": stub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    stub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
