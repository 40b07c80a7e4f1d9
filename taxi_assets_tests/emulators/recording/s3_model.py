"""Check requests to S3, addressed by path, against the service model that botocore ships.

https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html says where the members of an
operation's input are: in the path, the query, headers, or the XML body.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from botocore.loaders import Loader

from taxi_assets_tests.emulators.recording.request import Call, RequestHead
from taxi_assets_tests.emulators.recording.values import problem_of_text

__all__ = ["S3Model"]

# Of HTTP, of signatures (https://docs.aws.amazon.com/AmazonS3/latest/API/
# sig-v4-header-based-auth.html), of uploads in chunks with trailing checksums
# (…/sigv4-streaming-trailers.html), and of the SDKs' retries.
_COMMON = frozenset({
    "accept", "accept-encoding", "authorization", "connection", "content-length", "content-type",
    "expect", "host", "transfer-encoding", "user-agent",
    "x-amz-content-sha256", "x-amz-date", "x-amz-decoded-content-length", "x-amz-security-token",
    "x-amz-trailer", "amz-sdk-invocation-id", "amz-sdk-request",
})  # fmt: skip
_NAMESPACE = re.compile(r"\{[^}]*\}")
_TEXT = ("string", "timestamp", "blob")


@dataclass(frozen=True, slots=True)
class _Operation:
    name: str
    verb: str
    parts: int
    """Of the path: bucket, and key."""
    flags: Mapping[str, list[str]]
    """The query that tells it from other operations."""
    input: Mapping[str, Any]

    def members(self, location: str) -> dict[str, Any]:
        """The members in the query or the headers, by their names there."""
        return {
            member["locationName"].lower() if location == "header" else member["locationName"]: name
            for name, member in self.input.get("members", {}).items()
            if member.get("location") == location
        }

    def matches(self, head: RequestHead) -> bool:
        """Whether a request with this method and path is complete for this operation."""
        required = self.input.get("required", ())
        return all(head.query.get(name) == value for name, value in self.flags.items()) and all(
            name in given
            for location, given in (("querystring", head.query), ("header", head.headers))
            for name, member in self.members(location).items()
            if member in required
        )

    def specific(self, head: RequestHead) -> int:
        """How many of the request's parameters and headers it knows, flags first."""
        query, headers = self.members("querystring"), self.members("header")
        required = self.input.get("required", ())
        marks = [*self.flags, *(name for name in (*query, *headers) if name in required)]
        return (
            100 * len(marks) + len(head.query.keys() & query) + len(head.headers.keys() & headers)
        )


class S3Model:
    """The model ``s3/service-2``."""

    def __init__(self) -> None:
        model = Loader().load_service_model("s3", "service-2")
        self._shapes: Mapping[str, Any] = model["shapes"]
        self._operations = [*_operations(model["operations"], self._shapes)]
        self._by_name = {operation.name: operation for operation in self._operations}

    def begin(self, head: RequestHead) -> Call:
        """See ``Model``."""
        path = head.path.lstrip("/")
        parts = 0 if not path else 2 if path.partition("/")[2] else 1
        found = [
            each
            for each in self._operations
            if (each.verb, each.parts) == (head.method, parts) and each.matches(head)
        ]
        if not found:
            call = Call("unknown")
            call.reject("operation", "none has this method, path and query")
            return call
        operation = max(found, key=lambda each: each.specific(head))
        call = Call(operation.name)
        self._check_query(call, operation, head)
        self._check_headers(call, operation, head)
        payload = operation.input.get("payload")
        if payload is not None:
            shape = self._shapes[operation.input["members"][payload]["shape"]]
            call.schema = shape if shape["type"] == "structure" else None
            call.body_limit = None if call.schema else 0
        else:
            call.body_limit = None
        return call

    def check_body(self, call: Call, head: RequestHead, body: bytes) -> None:
        """See ``Model``."""
        if call.body_limit == 0 or not body:
            return
        if not isinstance(call.schema, Mapping):
            call.reject("body", "the operation takes none")
            return
        try:
            root = ET.fromstring(body)
        except ET.ParseError as error:
            call.reject("body", f"is not XML: {error}")
            return
        self._check(call, _local(root.tag), call.schema, root)

    def answered(self, call: Call, headers: Mapping[str, str]) -> None:
        """See ``Model``; responses of S3 say nothing about later requests."""

    def _check_query(self, call: Call, operation: _Operation, head: RequestHead) -> None:
        known = operation.members("querystring")
        for name, values in head.query.items():
            call.fields.add(f"?{name}")
            if name in operation.flags:
                continue
            if name not in known:
                call.reject(f"?{name}", "unknown parameter")
                continue
            self._check_text(call, f"?{name}", operation, known[name], values)

    def _check_headers(self, call: Call, operation: _Operation, head: RequestHead) -> None:
        known, prefixes = operation.members("header"), tuple(operation.members("headers"))
        for name, value in head.headers.items():
            if name in known:
                call.fields.update({name} - _COMMON)
                self._check_text(call, name, operation, known[name], [value])
            elif prefixes and name.startswith(prefixes):
                call.fields.add(f"{prefixes[0]}*")
            elif name not in _COMMON:
                call.reject(name, "unknown header")

    def _check_text(
        self, call: Call, name: str, operation: _Operation, member: str, values: list[str]
    ) -> None:
        shape = self._shapes[operation.input["members"][member]["shape"]]
        if shape["type"] == "list":
            shape = self._shapes[shape["member"]["shape"]]
            values = [each.strip() for value in values for each in value.split(",")]
        for value in values:
            if problem := problem_of_text(_plain(shape), value):
                call.reject(name, problem)

    def _check(self, call: Call, at: str, shape: Mapping[str, Any], element: ET.Element) -> None:
        """Check an element of the body, and those in it."""
        call.fields.add(at)
        if shape["type"] != "structure":
            if problem := problem_of_text(_plain(shape), element.text or ""):
                call.reject(at, problem)
            return
        known = {
            member.get("locationName", name): self._shapes[member["shape"]]
            for name, member in shape.get("members", {}).items()
        }
        for child in element:
            name = _local(child.tag)
            if name not in known:
                call.reject(f"{at}.{name}", "unknown element")
                continue
            inner = known[name]
            if inner["type"] == "list" and inner.get("flattened"):
                inner = self._shapes[inner["member"]["shape"]]
            self._check(call, f"{at}.{name}", inner, child)


def _operations(operations: Mapping[str, Any], shapes: Mapping[str, Any]) -> Iterator[_Operation]:
    for name, operation in operations.items():
        uri = urlsplit(operation["http"]["requestUri"])
        parts = ("{Bucket}" in uri.path) + ("{Key+}" in uri.path)
        shape = operation.get("input", {}).get("shape")
        yield _Operation(
            name,
            operation["http"]["method"],
            parts,
            parse_qs(uri.query, keep_blank_values=True),
            shapes[shape] if shape else {},
        )


def _plain(shape: Mapping[str, Any]) -> Mapping[str, Any]:
    """A shape in the terms of ``values``."""
    type_ = {"long": "integer"}.get(shape["type"], shape["type"])
    return {**shape, "type": "string" if type_ in _TEXT else type_}


def _local(tag: str) -> str:
    return _NAMESPACE.sub("", tag)
