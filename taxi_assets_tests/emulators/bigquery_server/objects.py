"""Resolve the ``gs://`` URIs of a load job with the Cloud Storage emulator.

local-bigquery passes wildcards to DuckDB, whose ``*`` does not match a slash, as BigQuery's does,
and reports a missing object as a damaged file. It also adds a column for each ``name=value`` in a
path; BigQuery does so only if the job requests hive partitioning.
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
    """Apply the patch."""
    storage.paths = load.paths = paths
    load._hive = hive


def paths(cur: Any, uri: str) -> list[str]:
    """The objects that match ``uri``, which may contain ``*``; raises BigQuery's error for none."""
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
    _paths(cur, uri)  # sets the emulator's address in DuckDB
    return [f"gs://{bucket}/{name}" for name in found]


def hive(config: Any) -> dict[str, str]:
    """DuckDB's options for ``name=value`` in paths."""
    options: dict[str, str] = _hive(config)
    if not options and config.sourceFormat == "PARQUET":
        return {"hive_partitioning": "false"}
    return options


def _existing(objects: str, name: str) -> Iterator[str]:
    _get(f"{objects}/{urllib.parse.quote(name, safe='')}")
    yield name


def _matching(objects: str, pattern: str) -> Iterator[str]:
    matches = re.compile(".*".join(map(re.escape, pattern.split("*")))).fullmatch
    page = {"prefix": pattern.partition("*")[0]}
    while True:
        response = _get(f"{objects}?{urllib.parse.urlencode(page)}")
        yield from (item["name"] for item in response.get("items", []) if matches(item["name"]))
        if "nextPageToken" not in response:
            return
        page["pageToken"] = response["nextPageToken"]


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=60) as response:
        return json.load(response)
