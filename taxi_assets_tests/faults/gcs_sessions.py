"""Upload sessions of Cloud Storage as they are, in front of a stand-in that has them otherwise.

Cloud Storage ignores bytes that it already has, and answers the last part again when the upload is
complete (https://cloud.google.com/storage/docs/performing-resumable-uploads). fake-gcs-server
appends a part that is sent again, so clients' retries would damage the object.
"""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Mapping
from urllib.parse import parse_qs, quote, urlsplit

import h11

from taxi_assets_tests.emulators.http_proxy import Reply

__all__ = ["GcsSessions"]

_BUCKET = re.compile(r"/upload(/storage/v1/b/[^/]+/o)")


class GcsSessions:
    """What the server at ``url`` has got of each upload."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._parts: dict[tuple[str, bytes], tuple[int, Mapping[str, str]]] = {}

    def answer(self, request: h11.Request) -> None:
        """Raise the ``Reply`` to a part that the server has already got."""
        done = self._parts.get(_part(request))
        if done is None:
            return
        status, headers = done
        if status == 308:
            raise Reply(status, dict(headers))
        target = urlsplit(request.target.decode())
        [name] = parse_qs(target.query)["name"]
        path = _BUCKET.sub(rf"\1/{quote(name, safe='')}", target.path)
        with urllib.request.urlopen(self._url + path) as object_:
            raise Reply(status, {"Content-Type": "application/json"}, object_.read())

    def done(self, request: h11.Request, response: h11.Response) -> None:
        """Note that the server has got a part."""
        if request.method == b"PUT" and b"upload_id=" in request.target:
            headers = {name.decode(): value.decode() for name, value in response.headers}
            kept = {name: headers[name] for name in ("range",) if name in headers}
            self._parts[_part(request)] = response.status_code, kept


def _part(request: h11.Request) -> tuple[str, bytes]:
    return request.target.decode(), dict(request.headers).get(b"content-range", b"")
