"""Amazon S3: moto's server, in memory, with the preconditions of ``recording.preconditions``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from taxi_assets_tests.emulators.environments import LOCKS, building, install_python, installed
from taxi_assets_tests.emulators.recording.record import Record, recording
from taxi_assets_tests.emulators.server import HOST, answers_http, free_port, serving, workspace

LOCK = LOCKS / "s3.txt"


@dataclass(frozen=True)
class S3:
    """A running server, which accepts any key."""

    record: Record
    access_key: str = "local"
    secret_key: str = "local"
    region: str = "us-east-1"

    @property
    def url(self) -> str:
        """The address for clients, whose requests are recorded."""
        return self.record.url

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables for AWS clients, so that none calls AWS."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            # Ignore the user's own profiles.
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }


def install() -> None:
    """Create the emulator's environment with the current Python."""
    with building("s3", LOCK) as folder:
        install_python(folder, Path(sys.executable), LOCK)


@contextmanager
def running() -> Iterator[S3]:
    """An empty server during the block."""
    moto = str(installed("s3", LOCK) / "bin" / "moto_server")
    port = free_port()
    command = [moto, "--host", HOST, "--port", str(port)]
    with (
        workspace("s3") as folder,
        serving(command, ready=partial(answers_http, port), folder=folder),
        recording("s3", free_port(), port) as record,
    ):
        yield S3(record)
