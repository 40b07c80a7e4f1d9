"""Check requests to Google's JSON APIs against the discovery documents of google-api-python-client.

https://developers.google.com/discovery/v1/reference/apis says what the documents mean. They lack
sessions of resumable uploads: a session's address is opaque to a client, which has to send parts
to the address that it was given (https://cloud.google.com/storage/docs/resumable-uploads).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, urlsplit

from taxi_assets_tests.emulators.recording.request import Call, RequestHead
from taxi_assets_tests.emulators.recording.values import problem_of_text, problem_of_value

__all__ = ["Discovery"]

_JSON_PART = 1 << 20  # bytes of a multipart upload in which its JSON part must end
# Of jobs.list; google-cloud-bigquery sends it with jobs.get too, where the service ignores it.
_FROM_CLIENTS = {("bigquery.jobs.get", "projection")}
_UPLOAD_TYPES = ("media", "multipart", "resumable")


@dataclass(frozen=True, slots=True)
class _Method:
    id: str
    verb: str
    path: re.Pattern[str]
    parameters: Mapping[str, Any]
    schema: str | None
    uploads: bool = False
    downloads: bool = False


class Discovery:
    """The model in ``name``.json, such as ``storage.v1``."""

    def __init__(self, name: str) -> None:
        documents = files("googleapiclient.discovery_cache") / "documents"
        document = json.loads((documents / f"{name}.json").read_text())
        self._schemas: Mapping[str, Any] = document["schemas"]
        self._common: Mapping[str, Any] = document["parameters"]
        self._methods = [*_methods(document["resources"], f"/{document['servicePath']}")]
        self._sessions: dict[str, tuple[str, str]] = {}  # upload id → path, method

    def begin(self, head: RequestHead) -> Call:
        """See ``Model``."""
        if "upload_id" in head.query:
            return self._part_of_session(head)
        method = self._called(head)
        if method is None:
            call = Call("unknown")
            call.reject("method", "no method of the API has this path")
            return call
        call = Call(method.id)
        self._check_query(call, method, head)
        [upload] = head.query.get("uploadType", [""])[:1]
        if method.uploads and upload not in _UPLOAD_TYPES:
            call.reject("uploadType", f"{upload!r} is not one of {', '.join(_UPLOAD_TYPES)}")
        if method.schema is not None and upload != "media":
            call.schema = method.schema
            call.body_limit = _JSON_PART if upload == "multipart" else None
        elif method.schema is None:
            call.body_limit = None
        return call

    def check_body(self, call: Call, head: RequestHead, body: bytes) -> None:
        """See ``Model``."""
        if call.body_limit == 0 or not body:
            return
        if call.schema is None:
            call.reject("body", "the method takes none")
            return
        if call.body_limit is not None:
            body = _first_part(head.headers.get("content-type", ""), body)
        try:
            value = json.loads(body)
        except ValueError as error:
            call.reject("body", f"is not JSON: {error}")
            return
        self._check(call, "", {"$ref": call.schema}, value)

    def answered(self, call: Call, headers: Mapping[str, str]) -> None:
        """See ``Model``."""
        if call.schema is not None and "location" in headers:
            address = urlsplit(headers["location"])
            for upload_id in parse_qs(address.query).get("upload_id", []):
                self._sessions[upload_id] = address.path, call.method

    def _part_of_session(self, head: RequestHead) -> Call:
        path, method = self._sessions.get(head.query["upload_id"][0], ("", "unknown"))
        call = Call(f"{method} (part)")
        if path != head.path or head.method not in ("PUT", "DELETE"):
            call.reject("upload_id", "the server has given no such session for this method")
        return call

    def _called(self, head: RequestHead) -> _Method | None:
        found = [
            method
            for method in self._methods
            if method.verb == head.method and method.path.fullmatch(head.path)
        ]
        downloads = head.query.get("alt") == ["media"]
        return next((each for each in found if each.downloads <= downloads), None)

    def _check_query(self, call: Call, method: _Method, head: RequestHead) -> None:
        known = {**self._common, **method.parameters}
        for name, values in head.query.items():
            call.fields.add(f"?{name}")
            if (method.id, name) in _FROM_CLIENTS:
                continue
            parameter = known.get(name)
            if parameter is None or parameter.get("location") != "query":
                call.reject(f"?{name}", "unknown parameter")
                continue
            if len(values) > 1 and not parameter.get("repeated"):
                call.reject(f"?{name}", "given more than once")
            for value in values:
                if problem := problem_of_text(parameter, value):
                    call.reject(f"?{name}", problem)
        for name, parameter in method.parameters.items():
            needed = parameter.get("required") and parameter["location"] == "query"
            if needed and name not in head.query:
                call.reject(f"?{name}", "required, but missing")

    def _check(self, call: Call, at: str, spec: Mapping[str, Any], value: object) -> None:
        """Check a JSON value; ``null`` is an absent one."""
        if "$ref" in spec:
            spec = self._schemas[spec["$ref"]]
        if at:
            call.fields.add(at)
        if value is None or spec.get("type") == "any":
            return
        if spec.get("type") == "array" and isinstance(value, list):
            for each in value:
                self._check(call, f"{at}[]", spec["items"], each)
        elif spec.get("type") == "object" and isinstance(value, dict):
            self._check_fields(call, at, spec, value)
        elif problem := problem_of_value(spec, value):
            call.reject(at or "body", problem)

    def _check_fields(
        self, call: Call, at: str, spec: Mapping[str, Any], value: Mapping[str, object]
    ) -> None:
        known, others = spec.get("properties", {}), spec.get("additionalProperties")
        for name, each in value.items():
            field = f"{at}.{name}" if at else name
            if name in known:
                self._check(call, field, known[name], each)
            elif others is not None:
                self._check(call, f"{at}.*", others, each)
            else:
                call.reject(field, "unknown field")


def _methods(resources: Mapping[str, Any], service: str) -> Iterator[_Method]:
    for resource in resources.values():
        yield from _methods(resource.get("resources", {}), service)
        for each in resource.get("methods", {}).values():
            parameters = each.get("parameters", {})
            schema = each.get("request", {}).get("$ref")
            facts = (parameters, schema)
            path = service + each["path"]
            yield _Method(each["id"], each["httpMethod"], _pattern(path), *facts)
            if "mediaUpload" in each:
                # Clients begin resumable uploads at the simple path too, with uploadType=resumable:
                # https://cloud.google.com/storage/docs/performing-resumable-uploads
                path = each["mediaUpload"]["protocols"]["simple"]["path"]
                verb = each["httpMethod"]
                yield _Method(each["id"], verb, _pattern(path), *facts, uploads=True)
            if each.get("useMediaDownloadService"):
                path = f"/download{service}{each['path']}"
                yield _Method(each["id"], "GET", _pattern(path), *facts, downloads=True)


def _pattern(template: str) -> re.Pattern[str]:
    """A path's pattern; a variable is one part of the encoded path, whatever its operator."""
    parts = re.split(r"\{\+?\w+\}", template)
    return re.compile("[^/]+".join(map(re.escape, parts)))


def _first_part(content_type: str, body: bytes) -> bytes:
    """The first part of multipart/related, without its headers."""
    message = Message()
    message["Content-Type"] = content_type
    boundary = b"--" + str(message.get_param("boundary", "")).encode()
    part = body.partition(boundary)[2].partition(b"\r\n" + boundary)[0]
    return part.partition(b"\r\n\r\n")[2]
