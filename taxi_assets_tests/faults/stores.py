"""The pairs of lake and warehouse that faults are injected on, started once, empty at each use."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from taxi_assets_tests.emulators import azure, bigquery, gcs, postgres, s3
from taxi_assets_tests.emulators.server import Unavailable

__all__ = ["PAIRS", "Place", "Stores"]

PAIRS = ("local-duckdb", "gcs-bigquery", "s3-postgres", "azure-duckdb")

_SCHEMES = {"gcs": "gs", "s3": "s3", "azure": "az"}


@dataclass(frozen=True, slots=True)
class Place:
    """An empty lake and warehouse, and a folder for a machine's files.

    ``environment`` is for the processes that run months there: the settings, and the clients'.
    """

    stores: str
    folder: Path
    environment: Mapping[str, str] = field(repr=False)

    @property
    def lake_url(self) -> str:
        """The lake."""
        return self.environment["TAXI_LAKE_URL"]

    @property
    def warehouse_url(self) -> str:
        """The warehouse."""
        return self.environment["TAXI_WAREHOUSE_URL"]

    @property
    def home(self) -> Path:
        """The platform's home."""
        return Path(self.environment["TAXI_HOME"])

    @property
    def scratch(self) -> Path:
        """The platform's scratch."""
        return Path(self.environment["TAXI_SCRATCH"])

    @property
    def temporary(self) -> Path:
        """The system's folder for temporary files, for processes of this place."""
        return Path(self.environment["TMPDIR"])

    @property
    def log(self) -> Path:
        """The output of the last process."""
        return self.folder / "log"


class Stores:
    """Starts the emulators that are asked for, and keeps them until the block ends."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._environment: dict[str, str] = {}
        self._started: dict[str, object] = {}
        self._root = Path()
        self._postgres = ""

    def __enter__(self) -> Stores:
        self._root = Path(self._stack.enter_context(_folder()))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def unavailable(self, pair: str) -> str:
        """Start a pair's emulators; the reason why they cannot run, or an empty text."""
        try:
            for name in pair.split("-"):
                self._start(name)
        except Unavailable as reason:
            if os.environ.get("CI") == "true":  # a skip in CI would go unnoticed
                raise
            return str(reason)
        return ""

    def folder(self) -> Path:
        """A new empty folder, removed at the end of the block."""
        return Path(tempfile.mkdtemp(dir=self._root))

    def place(self, pair: str, tlc_url: str, settings: Mapping[str, str]) -> Place:
        """An empty place on a pair that is available; ``settings`` replace those made here."""
        lake, warehouse = pair.split("-")
        folder = self.folder()
        home, temporary = folder / "home", folder / "tmp"
        temporary.mkdir()
        name = uuid.uuid4().hex[:12]
        own = {
            "TAXI_HOME": str(home),
            "TAXI_SCRATCH": str(home / "scratch"),
            "TAXI_TLC_URL": tlc_url,
            "TAXI_LAKE_URL": (
                (home / "lake").as_uri()
                if lake == "local"
                else f"{_SCHEMES[lake]}://faults-{name}/prefix"
            ),
            "TAXI_WAREHOUSE_URL": {
                "duckdb": f"duckdb:///{home / 'warehouse.duckdb'}",
                "bigquery": f"bigquery://{gcs.PROJECT}/faults_{name}",
                "postgres": f"{self._postgres}?options=-csearch_path%3Dfaults_{name}",
            }[warehouse],
            "TMPDIR": str(temporary),
        }
        return Place(pair, folder, {**self._environment, **own, **settings})

    def discard(self, place: Place) -> None:
        """Remove a place's local files."""
        shutil.rmtree(place.folder, ignore_errors=True)

    def _start(self, name: str) -> None:
        if name in self._started or name in ("local", "duckdb", "none"):
            return
        enter = self._stack.enter_context
        if name == "gcs":
            storage = enter(gcs.running())
            self._started[name], environment = storage, storage.environment
        elif name == "bigquery":
            storage = self._started["gcs"]  # type: ignore[assignment] # pairs start it first
            environment = enter(bigquery.running(storage)).environment
        elif name == "s3":
            environment = enter(s3.running()).environment
        elif name == "azure":
            environment = enter(azure.running()).environment
        else:
            server = enter(postgres.running())
            self._postgres, environment = server.url, {}
        self._started.setdefault(name, True)
        self._environment |= environment


@contextmanager
def _folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="taxi-faults-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
