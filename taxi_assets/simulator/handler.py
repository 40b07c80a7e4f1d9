"""The HTTP handler: answers as TLC's CDN does, and injects the faults.

Requests of web pages are refused (``guard``).

``/_faults``: GET lists the pending faults, POST adds one, DELETE clears them.
``/_requests``: GET lists the requests so far, DELETE clears the list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from io import BufferedReader
from pathlib import Path
from urllib.parse import unquote, urlsplit

from taxi_assets.simulator.faults import Fault, Kind
from taxi_assets.simulator.guard import is_own
from taxi_assets.simulator.objects import Object, Unsatisfiable
from taxi_assets.simulator.publisher import MISC, TRIPS
from taxi_assets.simulator.site import LoggedRequest, SiteServer, disconnect

__all__ = ["ANNOUNCEMENT", "Handler"]

ANNOUNCEMENT = "X-Taxi-Assets-Simulator"

# A name that starts with a dot is a file that is still being written.
_PUBLISHED = re.compile(rf"/({TRIPS}|{MISC})/(\w[\w.-]*)", re.ASCII)
_CHUNK = 1 << 18
_XML = "application/xml"
_TYPES = {".csv": "text/csv", ".zip": "application/zip", ".parquet": "binary/octet-stream"}
_PAGE = b"<!DOCTYPE html><html><body><h1>We will be back soon</h1></body></html>"


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "AmazonS3"
    sys_version = ""
    disable_nagle_algorithm = True  # a small body must not wait for the ACK of its headers
    server: SiteServer

    def do_GET(self) -> None:
        """Answer with a file, or with the state of a control path."""
        match self.path:
            case "/_faults":
                self._send_json(self.server.site.faults.as_json())
            case "/_requests":
                self._send_json([asdict(request) for request in self.server.site.requests])
            case _:
                self._answer()

    def do_HEAD(self) -> None:
        """Answer like GET, without the body."""
        self._answer()

    def do_POST(self) -> None:
        """Add a fault."""
        body = self._read_body()
        if self.path != "/_faults":
            self._send_whole(HTTPStatus.METHOD_NOT_ALLOWED, b"", _XML)
            return
        try:
            self.server.site.faults.add(Fault.from_json(json.loads(body)))
        except ValueError as error:
            self._send_json({"error": str(error)}, HTTPStatus.BAD_REQUEST)
        else:
            self._send_json(self.server.site.faults.as_json(), HTTPStatus.CREATED)

    def do_DELETE(self) -> None:
        """Clear the faults or the list of requests."""
        self._read_body()
        match self.path:
            case "/_faults":
                self.server.site.faults.clear()
            case "/_requests":
                self.server.site.requests.clear()
            case _:
                self._send_whole(HTTPStatus.METHOD_NOT_ALLOWED, b"", _XML)
                return
        self._send_json([])

    def parse_request(self) -> bool:
        """Read a request; refuse one that a web page of another site sends from a browser here."""
        if not super().parse_request():
            return False
        if is_own(self.headers):
            return True
        self._read_body()
        refusal = b"The simulator does not answer requests of web pages.\n"
        close = {"Connection": "close"}  # a body in chunks is not read, nor is it the next request
        self._send_whole(HTTPStatus.FORBIDDEN, refusal, "text/plain", close)
        return False

    def send_response(self, code: int, message: str | None = None) -> None:
        """Begin any response: with the header by which a client knows the simulator."""
        super().send_response(code, message)
        self.send_header(ANNOUNCEMENT, "1")

    def log_message(self, *_: object) -> None:
        """Print nothing; ``/_requests`` has the log."""

    def _read_body(self) -> bytes:
        """The request body; left unread, it would be parsed as the next request."""
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        site = self.server.site
        stall = site.faults.take(path, Kind.STALL)
        if stall and site.stopping.wait(stall.seconds):
            self._cut()
            return
        fault = site.faults.take(path, Kind.STATUS, Kind.HTML)
        if fault and fault.kind is Kind.HTML:
            self._log(path, 200)
            self._send_whole(200, _PAGE, "text/html")
        elif fault:
            self._refuse(path, fault.status, fault.retry_after)
        else:
            self._answer_with_file(path)

    def _answer_with_file(self, path: str) -> None:
        published = _PUBLISHED.fullmatch(path)
        try:
            if not published:
                raise FileNotFoundError
            file = (self.server.site.folder / published[1] / published[2]).open("rb")
        except (FileNotFoundError, IsADirectoryError):
            self._refuse(path, 403)
            return
        with file:
            self._send_file(path, file)

    def _send_file(self, path: str, file: BufferedReader) -> None:
        found = self.server.site.checksums.describe(file)
        if found.unchanged_for(self.headers):
            self._log(path, 304)
            self._head(304, found)
            self.end_headers()
            return
        try:
            byte_range = found.range_for(self.headers)
        except Unsatisfiable:
            self._refuse(path, 416, content_range=f"bytes */{found.size}")
            return
        first, last = byte_range or (0, found.size - 1)
        status = 206 if byte_range else 200
        self._log(path, status)
        self._head(status, found)
        if byte_range:
            self.send_header("Content-Range", f"bytes {first}-{last}/{found.size}")
        self.send_header("Content-Type", _TYPES.get(Path(path).suffix, "binary/octet-stream"))
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        if self.command == "GET":
            self._send_body(path, file, found, first, last)

    def _send_body(
        self, path: str, file: BufferedReader, found: Object, first: int, last: int
    ) -> None:
        """Stream the bytes from ``first`` to ``last``, with any CORRUPT or CUT fault."""
        faults = self.server.site.faults
        corrupt_at = found.size // 2 if faults.take(path, Kind.CORRUPT) else -1
        cut = faults.take(path, Kind.CUT)
        end = min(last + 1, first + cut.after_bytes) if cut else last + 1
        file.seek(first)
        position = first
        while position < end and not self.server.site.stopping.is_set():
            chunk = file.read(min(_CHUNK, end - position))
            if position <= corrupt_at < position + len(chunk):
                at = corrupt_at - position
                chunk = chunk[:at] + bytes([chunk[at] ^ 0xFF]) + chunk[at + 1 :]
            self.wfile.write(chunk)
            position += len(chunk)
        if position <= last:
            self._cut()

    def _cut(self) -> None:
        self.close_connection = True
        disconnect(self.connection)

    def _head(self, status: int, found: Object) -> None:
        self.send_response(status)
        self.send_header("ETag", found.etag)
        self.send_header("Last-Modified", found.modified)
        self.send_header("Accept-Ranges", "bytes")

    def _refuse(
        self,
        path: str,
        status: int,
        retry_after: int | None = None,
        *,
        content_range: str | None = None,
    ) -> None:
        """Answer with an error in S3's format."""
        self._log(path, status)
        phrase = HTTPStatus(status).phrase
        code, message = {403: ("AccessDenied", "Access Denied")}.get(
            status, (phrase.replace(" ", ""), phrase)
        )
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{code}</Code><Message>{message}</Message>"
            "<RequestId>SIMULATOR</RequestId><HostId>simulator</HostId></Error>"
        )
        headers = {
            "Retry-After": None if retry_after is None else str(retry_after),
            "Content-Range": content_range,
        }
        self._send_whole(status, body.encode(), _XML, headers)

    def _send_json(self, values: object, status: int = 200) -> None:
        self._send_whole(status, json.dumps(values).encode(), "application/json")

    def _send_whole(
        self, status: int, body: bytes, kind: str, headers: Mapping[str, str | None] | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _log(self, path: str, status: int) -> None:
        """Log the request, before its response is sent."""
        headers = self.headers
        self.server.site.requests.append(
            LoggedRequest(
                method=self.command,
                path=path,
                range=headers.get("Range"),
                if_range=headers.get("If-Range"),
                if_none_match=headers.get("If-None-Match"),
                status=status,
            )
        )
