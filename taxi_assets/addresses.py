"""Parsing the URLs of lake and warehouse, ``TAXI_LAKE_URL`` and ``TAXI_WAREHOUSE_URL``.

Add a store's or engine's URL scheme here, and the code that opens it in ``lake.factory`` or
``warehouse.factory``. An address may hold a password: show it with ``shown`` only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from taxi_assets.errors import Misconfigured

__all__ = [
    "LakeAddress",
    "WarehouseAddress",
    "lake_address",
    "shown",
    "text_shown",
    "warehouse_address",
]

# In the text of a client's error: a URL, user:password@host, and the query of a URL without host.
_END = r"""[^\s'"<>]*[^\s'"<>.,:;)\]]"""
_IN_TEXT = re.compile(
    rf"""[A-Za-z][A-Za-z0-9+.-]*://{_END}|[^\s'"<>(]+:{_END}@{_END}"""
    r"""|(?P<query>\?[^\s'"<>()?=]+=[^\s'"<>)]*)"""
    # A header that a client cannot send is most often one with a credential.
    r"""|(?P<header>(?<=header value):? b?['"].*)"""
)
_NOT_SHOWN = "(an address that cannot be parsed)"

_LAKES = {"file": "file", "gs": "gcs", "s3": "s3", "az": "azure"}
_LAKE_FORMS = (
    "Use a folder (data/lake, file:///data/lake), gs://bucket/prefix, s3://bucket/prefix or "
    "az://container/prefix."
)
_WAREHOUSES = {
    "duckdb": "duckdb",
    "bigquery": "bigquery",
    "postgresql": "postgres",
    "postgres": "postgres",
}
_WAREHOUSE_FORMS = (
    "Use duckdb:///path/to/file.duckdb, bigquery://project/dataset or "
    "postgresql://user@host/database."
)


@dataclass(frozen=True, slots=True)
class LakeAddress:
    """A folder (``kind`` is ``file``), or a prefix in a bucket of ``gcs``, ``s3`` or ``azure``."""

    url: str
    kind: str
    folder: Path | None = None
    bucket: str = ""
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class WarehouseAddress:
    """A ``duckdb`` file, a ``bigquery`` dataset, or a ``postgres`` database.

    For ``postgres`` the driver parses ``url``.
    """

    url: str = field(repr=False)
    kind: str
    path: Path | None = None
    project: str = ""
    dataset: str = ""
    location: str | None = None
    require_partition_filter: bool = False


def shown(url: str) -> str:
    """Scheme, host, port and path of ``url``, for messages; never a user, password or query.

    A text that is not clearly a URL may hold a password anywhere, so none of it is shown. Where the
    path itself is secret, as in a webhook's address, do not show the address at all.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError, as urlsplit does
    except ValueError:
        return _NOT_SHOWN
    host = parts.netloc.rpartition("@")[2]
    rest = parts.path + parts.query + parts.fragment
    # A password with / or ? in it ends the host too early; an @ after the host shows that. A path
    # without a host may hold an @, as in a home folder's name.
    is_file = parts.scheme in ("file", "duckdb") and not parts.netloc and ":" not in rest
    if not parts.scheme or "://" not in url or ("@" in rest and not is_file):
        return _NOT_SHOWN
    return f"{parts.scheme}://{host}{parts.path.partition(';')[0]}"


def text_shown(text: str) -> str:
    """``text``, such as the message of a client's error, with each address in it as ``shown``.

    Nor does it show the value of a header that a client refuses to send.
    """
    return _IN_TEXT.sub(
        lambda found: "?…" if found["query"] else " …" if found["header"] else shown(found[0]), text
    )


def lake_address(url: str) -> LakeAddress:
    """Parse a lake's URL; raises ``Misconfigured`` if it is not valid."""
    scheme, separator, _ = url.partition("://")
    if not url or (not separator and url.startswith("file:")):
        raise Misconfigured("TAXI_LAKE_URL is not a lake.", _LAKE_FORMS)
    if not separator:
        return LakeAddress(url, "file", folder=Path(url).expanduser())
    if scheme not in _LAKES:
        raise Misconfigured(f"TAXI_LAKE_URL is {shown(url)}, which is not a lake.", _LAKE_FORMS)
    parts = _parsed(url, "TAXI_LAKE_URL", _LAKE_FORMS)
    if scheme == "file":
        return _folder(url, parts)
    if not parts.netloc or set(":@") & set(parts.netloc) or parts.query or parts.fragment:
        raise Misconfigured(
            f"TAXI_LAKE_URL is {shown(url)}, which does not only name a bucket.",
            f"Use {scheme}://bucket or {scheme}://bucket/prefix; credentials are set as for the "
            "store's own tools.",
        )
    prefix = parts.path.strip("/")
    if prefix and any(not part or part.startswith(".") for part in prefix.split("/")):
        raise Misconfigured(
            f"TAXI_LAKE_URL is {shown(url)}, whose prefix cannot be used.",
            "No part of it may be empty or start with a dot.",
        )
    return LakeAddress(url.rstrip("/"), _LAKES[scheme], bucket=parts.netloc, prefix=prefix)


def warehouse_address(url: str) -> WarehouseAddress:
    """Parse a warehouse's URL; raises ``Misconfigured`` if it is not valid."""
    kind = _WAREHOUSES.get(url.partition(":")[0].partition("+")[0].lower())
    if kind is None:
        raise Misconfigured(
            f"TAXI_WAREHOUSE_URL is {shown(url)}, which is not a warehouse.", _WAREHOUSE_FORMS
        )
    if kind == "postgres":
        return WarehouseAddress(url, kind)
    parts = _parsed(url, "TAXI_WAREHOUSE_URL", _WAREHOUSE_FORMS)
    return _duckdb(url, parts) if kind == "duckdb" else _bigquery(url, parts)


def _parsed(url: str, setting: str, forms: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        # Without its text, which quotes the address.
        raise Misconfigured(f"{setting} is {shown(url)}.", forms) from None


def _folder(url: str, parts: SplitResult) -> LakeAddress:
    has_host = parts.netloc not in ("", "localhost")
    if has_host or not parts.path.strip("/") or parts.query or parts.fragment:
        raise Misconfigured(
            f"TAXI_LAKE_URL is {shown(url)}, which does not only name a folder.",
            "Use three slashes: file:///data/lake; ? and # in its name are %3F and %23.",
        )
    return LakeAddress(url, "file", folder=Path(unquote(parts.path)))


def _duckdb(url: str, parts: SplitResult) -> WarehouseAddress:
    path = unquote(parts.path).removeprefix("/")
    if parts.netloc or not path or parts.query or parts.fragment:
        raise Misconfigured(
            f"TAXI_WAREHOUSE_URL is {shown(url)}, which does not only name a file.",
            "Use three slashes for a path relative to the working directory "
            "(duckdb:///data/taxi.duckdb), or four for an absolute one (duckdb:////data/…); "
            "? and # in its name are %3F and %23.",
        )
    return WarehouseAddress(url, "duckdb", path=Path(path))


def _bigquery(url: str, parts: SplitResult) -> WarehouseAddress:
    dataset = parts.path.strip("/")
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    location = options.pop("location", None)
    filtered = options.pop("require_partition_filter", "false").lower()
    named = parts.netloc and "@" not in parts.netloc and dataset and "/" not in dataset
    if not named or options or filtered not in ("true", "false"):
        raise Misconfigured(
            f"TAXI_WAREHOUSE_URL is {shown(url)}, which does not only name a BigQuery dataset, or "
            "has unknown options.",
            "Use bigquery://project/dataset; the options are location=EU and "
            "require_partition_filter=true or false.",
        )
    return WarehouseAddress(
        url,
        "bigquery",
        project=parts.netloc,
        dataset=dataset,
        location=location,
        require_partition_filter=filtered == "true",
    )
