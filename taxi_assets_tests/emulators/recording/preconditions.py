"""Preconditions that the emulators of Cloud Storage and S3 ignore, enforced in front of them.

fake-gcs-server compares generations for simple uploads only, and moto no ETag for copies and
multipart uploads. A request whose condition does not hold is answered as the real service does.
https://cloud.google.com/storage/docs/request-preconditions
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Protocol
from urllib.parse import parse_qs, quote, unquote, urlsplit

import httpx

from taxi_assets_tests.emulators.http_proxy import Reply
from taxi_assets_tests.emulators.recording.request import RequestHead

__all__ = ["GcsPreconditions", "Preconditions", "S3Preconditions"]

_OBJECT = re.compile(r"/(?:download/)?storage/v1/b/([^/]+)/o/([^/]+)")
_REWRITE = re.compile(_OBJECT.pattern + r"/(?:rewriteTo|copyTo)/b/([^/]+)/o/([^/]+)")
_UPLOAD = re.compile(r"/(?:resumable/)?upload/storage/v1/b/([^/]+)/o")
_LAST_PART = re.compile(r"bytes (?:\d+-(?P<end>\d+)|\*)/(?P<total>\d+)")

_ANY_LOGIN = "AWS4-HMAC-SHA256 Credential=local/20240101/us-east-1/s3/aws4_request"


class Preconditions(Protocol):
    """The conditions of one service."""

    def violated(self, head: RequestHead) -> Reply | None:
        """The response to a request whose condition does not hold; ``None`` if it does."""

    def answered(self, head: RequestHead, body: bytes, headers: Mapping[str, str]) -> None:
        """Note what a response says about requests to come."""

    def is_conditional(self, head: RequestHead) -> bool:
        """Whether no other such request may be served at the same time."""


class GcsPreconditions:
    """Generations at ``server``, an address."""

    def __init__(self, server: str) -> None:
        self._server = httpx.Client(base_url=server)
        self._sessions: dict[str, tuple[str, str, str | None]] = {}

    def is_conditional(self, head: RequestHead) -> bool:
        """See :class:`Preconditions`."""
        conditions = ("ifGenerationMatch", "ifSourceGenerationMatch", "upload_id")
        return any(name in head.query for name in conditions)

    def violated(self, head: RequestHead) -> Reply | None:
        """See :class:`Preconditions`."""
        for bucket, name, expected in self._conditions(head):
            if expected is not None and self._generation(bucket, name) != expected:
                return _google_refusal()
        return None

    def answered(self, head: RequestHead, body: bytes, headers: Mapping[str, str]) -> None:
        """See :class:`Preconditions`; remembers a session of a resumable upload."""
        path = _UPLOAD.fullmatch(head.path)
        location = headers.get("location")
        if path and location and "upload_id" not in head.query:
            name = head.query.get("name", [""])[0] or json.loads(body).get("name", "")
            for upload in parse_qs(urlsplit(location).query).get("upload_id", []):
                self._sessions[upload] = unquote(path[1]), name, _one(head, "ifGenerationMatch")

    def _conditions(self, head: RequestHead) -> Iterator[tuple[str, str, str | None]]:
        if rewrite := _REWRITE.fullmatch(head.path):
            bucket, name, target_bucket, target = map(unquote, rewrite.groups())
            yield bucket, name, _one(head, "ifSourceGenerationMatch")
            yield target_bucket, target, _one(head, "ifGenerationMatch")
        elif found := _OBJECT.fullmatch(head.path):
            yield unquote(found[1]), unquote(found[2]), _one(head, "ifGenerationMatch")
        elif _is_last_part(head) and (upload := _one(head, "upload_id")) in self._sessions:
            yield self._sessions[upload or ""]

    def _generation(self, bucket: str, name: str) -> str:
        found = self._server.get(f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}")
        return str(found.json()["generation"]) if found.is_success else "0"


class S3Preconditions:
    """ETags at ``server``, an address."""

    def __init__(self, server: str) -> None:
        # moto refuses a request without credentials, and accepts any.
        self._server = httpx.Client(base_url=server, headers={"Authorization": _ANY_LOGIN})

    def is_conditional(self, head: RequestHead) -> bool:
        """See :class:`Preconditions`."""
        of_target = {"if-match", "if-none-match"} & head.headers.keys()
        if "x-amz-copy-source" in head.headers:
            return bool(of_target) or "x-amz-copy-source-if-match" in head.headers
        return bool(of_target) and head.method == "POST" and "uploadId" in head.query

    def violated(self, head: RequestHead) -> Reply | None:
        """See :class:`Preconditions`."""
        source = head.headers.get("x-amz-copy-source-if-match")
        if source and self._etag("/" + head.headers["x-amz-copy-source"].lstrip("/")) != source:
            return _amazon_refusal()
        found = self._etag(head.path)
        if "if-none-match" in head.headers and found is not None:
            return _amazon_refusal()
        wanted = head.headers.get("if-match")
        if wanted is None or found == wanted:
            return None
        return _amazon_refusal(404, "NoSuchKey") if found is None else _amazon_refusal()

    def answered(self, head: RequestHead, body: bytes, headers: Mapping[str, str]) -> None:
        """See :class:`Preconditions`."""

    def _etag(self, path: str) -> str | None:
        found = self._server.head(path)
        return found.headers["etag"] if found.is_success else None


def _is_last_part(head: RequestHead) -> bool:
    found = _LAST_PART.fullmatch(head.headers.get("content-range", ""))
    return found is not None and int(found["end"] or -1) + 1 == int(found["total"])


def _one(head: RequestHead, name: str) -> str | None:
    return head.query.get(name, [None])[0]


def _google_refusal() -> Reply:
    message = "At least one of the pre-conditions you specified did not hold."
    error = {"message": message, "domain": "global", "reason": "conditionNotMet"}
    body = {"error": {"code": 412, "message": message, "errors": [error]}}
    return Reply(412, {"Content-Type": "application/json"}, json.dumps(body).encode())


def _amazon_refusal(status: int = 412, code: str = "PreconditionFailed") -> Reply:
    message = "At least one of the pre-conditions you specified did not hold"
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Reply(status, {"Content-Type": "application/xml"}, body.encode())
