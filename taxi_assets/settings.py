"""Every setting of the platform, each an environment variable with a default.

Belongs here: names, defaults, meanings, validation. Does not: what is done with a setting.
``docs/settings.md`` is this table; a test keeps the two the same.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from taxi_assets.errors import Misconfigured
from taxi_assets.tlc import DEFAULT_URL


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable: its name, the default as text, and what it does."""

    name: str
    default: str
    meaning: str


HOME = Setting(
    "TAXI_HOME",
    ".taxi",
    "Folder of everything kept on this machine: the embedded lake and warehouse, scratch files, "
    "and (with the make commands) Dagster's own records.",
)
TLC_URL = Setting(
    "TAXI_TLC_URL", DEFAULT_URL, "Where TLC's files are: TLC's own site, a mirror or the simulator."
)
LAKE_URL = Setting(
    "TAXI_LAKE_URL",
    "file://$TAXI_HOME/lake",
    "The lake: file:///folder, gs://bucket/prefix, s3://bucket/prefix or az://container/prefix.",
)
WAREHOUSE_URL = Setting(
    "TAXI_WAREHOUSE_URL",
    "duckdb:///$TAXI_HOME/warehouse.duckdb",
    "The warehouse: duckdb:///file, bigquery://project/dataset?location=US or "
    "postgresql://user@host/database.",
)
SCRATCH = Setting(
    "TAXI_SCRATCH",
    "$TAXI_HOME/scratch",
    "Local disk for files on their way; a month needs about three times its published size.",
)
MEMORY_LIMIT = Setting(
    "TAXI_MEMORY_LIMIT",
    "512MB",
    "DuckDB's own memory while cleaning and loading a month; more than that spills to scratch.",
)
ENV = Setting(
    "TAXI_ENV",
    "laptop",
    "laptop or production: in production the schedules and sensors start on their own.",
)
ROW_COUNTS = Setting(
    "TAXI_ROW_COUNTS",
    "",
    "CSV file with columns dataset, month, rows: published row counts you trust; a month that "
    "differs gets a warning from the check published_rows.",
)

SETTINGS: tuple[Setting, ...] = (
    HOME, TLC_URL, LAKE_URL, WAREHOUSE_URL, SCRATCH, MEMORY_LIMIT, ENV, ROW_COUNTS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    """The values in force."""

    home: Path
    tlc_url: str
    lake_url: str
    warehouse_url: str
    scratch: Path
    memory_limit: str
    production: bool
    row_counts: Path | None

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read the environment; raises ``Misconfigured`` with the variable's name."""
        env = os.environ if env is None else env
        home = Path(env.get(HOME.name) or HOME.default).absolute()
        kind = env.get(ENV.name) or ENV.default
        if kind not in ("laptop", "production"):
            raise Misconfigured(f"{ENV.name} is {kind!r}; set it to laptop or production.")
        counts = env.get(ROW_COUNTS.name)
        return cls(
            home=home,
            tlc_url=(env.get(TLC_URL.name) or TLC_URL.default).rstrip("/"),
            lake_url=env.get(LAKE_URL.name) or (home / "lake").as_uri(),
            warehouse_url=env.get(WAREHOUSE_URL.name) or f"duckdb:///{home}/warehouse.duckdb",
            scratch=Path(env.get(SCRATCH.name) or home / "scratch"),
            memory_limit=env.get(MEMORY_LIMIT.name) or MEMORY_LIMIT.default,
            production=kind == "production",
            row_counts=Path(counts) if counts else None,
        )
