"""The warehouse that a URL names.

A new engine gets its scheme here; what to install or correct is said when that fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from taxi_assets import optional
from taxi_assets.errors import Misconfigured
from taxi_assets.warehouse.base import Warehouse

_FORMS = (
    "Use duckdb:///path/to/file.duckdb, bigquery://project/dataset or "
    "postgresql://user@host/database."
)


def open_warehouse(
    url: str, *, memory_limit: str = "512MB", threads: int | None = None
) -> Warehouse:
    """The warehouse at ``url``; nothing is connected to yet.

    ``memory_limit`` and ``threads`` bound an embedded engine; servers ignore them. Raises
    ``Misconfigured`` for a URL of another form or an extra that is not installed.
    """
    scheme = url.partition(":")[0].partition("+")[0].lower()
    if scheme == "duckdb":
        return _duckdb(url, memory_limit, threads)
    if scheme == "bigquery":
        return _bigquery(url)
    if scheme in ("postgresql", "postgres"):
        return _postgres(url)
    # Only the scheme is repeated: whatever else it is may hold a password.
    raise Misconfigured(f"TAXI_WAREHOUSE_URL begins with {scheme!r}, which is unknown.", _FORMS)


def _duckdb(url: str, memory_limit: str, threads: int | None) -> Warehouse:
    from taxi_assets.warehouse.duckdb_file import DuckDBWarehouse  # noqa: PLC0415 - a slow import

    parts = urlsplit(url)
    path = unquote(parts.path).removeprefix("/")
    if parts.netloc or not path:
        raise Misconfigured(
            f"{url!r} names no file.",
            "Write three slashes and a path below the working directory "
            "(duckdb:///data/taxi.duckdb), or four for an absolute one (duckdb:////data/…).",
        )
    return DuckDBWarehouse(Path(path), memory_limit=memory_limit, threads=threads)


@dataclass(frozen=True, slots=True)
class BigQueryAddress:
    """What ``bigquery://project/dataset?…`` names."""

    project: str
    dataset: str
    location: str | None
    require_partition_filter: bool


def bigquery_address(url: str) -> BigQueryAddress:
    """Take a BigQuery URL apart; raises ``Misconfigured`` for one of another form."""
    parts = urlsplit(url)
    dataset = parts.path.strip("/")
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    location = options.pop("location", None)
    filtered = options.pop("require_partition_filter", "false").lower()
    if not parts.netloc or not dataset or "/" in dataset or options:
        raise Misconfigured(
            f"{url!r} names no BigQuery dataset.",
            "Write bigquery://project/dataset with, at most, ?location=EU and "
            "&require_partition_filter=true.",
        )
    if filtered not in ("true", "false"):
        raise Misconfigured(
            f"require_partition_filter is {filtered!r} in {url!r}.", "Write true or false."
        )
    return BigQueryAddress(parts.netloc, dataset, location, filtered == "true")


def _bigquery(url: str) -> Warehouse:
    from taxi_assets.warehouse.bigquery import BigQueryWarehouse  # noqa: PLC0415 - a slow import

    named = bigquery_address(url)
    return BigQueryWarehouse(
        named.project,
        named.dataset,
        location=named.location,
        require_partition_filter=named.require_partition_filter,
    )


def _postgres(url: str) -> Warehouse:
    postgres = optional.load(
        "taxi_assets.warehouse.postgres", extra="postgres", wanted_by="A PostgreSQL warehouse"
    )
    return postgres.PostgresWarehouse(url)  # type: ignore[no-any-return] # a module is untyped
