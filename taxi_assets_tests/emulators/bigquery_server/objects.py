"""What a load job's ``gs://`` URIs stand for, asked of the Cloud Storage emulator.

Upstream leaves wildcards to DuckDB, whose ``*`` ends at a slash where BigQuery's goes on, and
reports a missing object as a broken file. It also makes a column of each ``name=value`` in a
path; BigQuery does so only when the job asks for hive partitioning.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

from .upstream import BigQueryError, load, storage

_paths, _hive = storage.paths, load._hive


def apply() -> None:
    """Replace upstream's functions."""
    storage.paths = load.paths = paths
    load._hive = hive


def paths(cur: Any, uri: str) -> list[str]:
    """The objects that ``uri``, which may hold ``*``, names; BigQuery's error for none."""
    endpoint = storage._emulator(uri)
    if endpoint is None:
        return list(_paths(cur, uri))
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    objects = f"{endpoint.rstrip('/')}/storage/v1/b/{bucket}/o"
    try:
        found = list(_matching(objects, name) if "*" in name else _existing(objects, name))
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        found = []
    if not found:
        raise BigQueryError("notFound", f"Not found: URI {uri}")
    _paths(cur, uri)  # tells DuckDB where the emulator is
    return [f"gs://{bucket}/{name}" for name in found]


def hive(config: Any) -> dict[str, str]:
    """DuckDB's options on ``name=value`` in paths."""
    asked: dict[str, str] = _hive(config)
    if not asked and config.sourceFormat == "PARQUET":
        return {"hive_partitioning": "false"}
    return asked


def _existing(objects: str, name: str) -> Iterator[str]:
    _get(f"{objects}/{urllib.parse.quote(name, safe='')}")
    yield name


def _matching(objects: str, pattern: str) -> Iterator[str]:
    fits = re.compile(".*".join(map(re.escape, pattern.split("*")))).fullmatch
    page = {"prefix": pattern.partition("*")[0]}
    while True:
        answer = _get(f"{objects}?{urllib.parse.urlencode(page)}")
        yield from (item["name"] for item in answer.get("items", []) if fits(item["name"]))
        if "nextPageToken" not in answer:
            return
        page["pageToken"] = answer["nextPageToken"]


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=60) as response:
        return json.load(response)
