"""BigQuery: local-bigquery (DuckDB with BigQuery's API), started with our patches.

It runs on Python 3.13 in its own environment; the patches are in ``bigquery_server``.
Not emulated: external tables, bytes processed, slot time, ``list_partitions``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from taxi_assets_tests.emulators.environments import (
    LOCKS,
    ROOT,
    building,
    install_python,
    installed,
    run,
)
from taxi_assets_tests.emulators.gcs import PROJECT, Gcs
from taxi_assets_tests.emulators.google_credentials import write_credentials
from taxi_assets_tests.emulators.pythons import find_python
from taxi_assets_tests.emulators.recording.record import Record, recording
from taxi_assets_tests.emulators.server import (
    HOST,
    answers_http,
    free_port,
    serving,
    workspace,
)

LOCK = LOCKS / "bigquery.txt"
_SERVER = "taxi_assets_tests.emulators.bigquery_server"


@dataclass(frozen=True)
class BigQuery:
    """A running server: REST, and the Storage Read API over gRPC without TLS."""

    record: Record
    grpc_address: str
    credentials: Path
    gcs: Gcs
    project: str = PROJECT

    @property
    def rest_url(self) -> str:
        """The address for clients, whose requests are recorded."""
        return self.record.url

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables for Google's clients of the server and its Cloud Storage.

        Google's Storage Read client has no emulator variable: ``BIGQUERY_EMULATOR_GRPC`` is this
        project's, and Google's own ``to_dataframe()`` connects to Google whatever is set.
        """
        return self.gcs.environment | {
            "BIGQUERY_EMULATOR_HOST": self.rest_url,
            "BIGQUERY_EMULATOR_GRPC": self.grpc_address,
            "GOOGLE_APPLICATION_CREDENTIALS": str(self.credentials),
        }


def install() -> None:
    """Create the emulator's environment, with DuckDB's extensions unpacked from their wheels."""
    python = find_python("3.13")
    with building("bigquery", LOCK) as folder:
        install_python(folder, python, LOCK)
        unpack = [str(folder / "bin" / "python"), "-m", f"{_SERVER}.extensions"]
        run(unpack, environment=_environment(folder))


@contextmanager
def running(gcs: Gcs) -> Iterator[BigQuery]:
    """A server without datasets that loads from ``gcs``, during the block."""
    home = installed("bigquery", LOCK)
    port, grpc_port = free_port(), free_port()
    address = ["--host", HOST, "--port", str(port), "--grpc-port", str(grpc_port)]
    ready = partial(answers_http, port, f"/bigquery/v2/projects/{PROJECT}/datasets")
    with workspace("bigquery") as folder:
        credentials = write_credentials(folder, f"http://{HOST}:{port}/token")
        storage = ["--data-dir", str(folder / "tables"), "--project", PROJECT]
        with (
            serving(
                [str(home / "bin" / "python"), "-m", _SERVER, *address, *storage],
                ready=ready,
                folder=folder,
                environment=_environment(home) | {"STORAGE_EMULATOR_HOST": gcs.server_url},
            ),
            recording("bigquery", free_port(), port) as record,
        ):
            yield BigQuery(record, f"{HOST}:{grpc_port}", credentials, gcs)


def _environment(home: Path) -> dict[str, str]:
    # DuckDB stores its extensions below HOME, and would download missing ones.
    return {"PYTHONPATH": str(ROOT), "HOME": str(home)}
