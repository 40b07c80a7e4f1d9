"""Azure Blob Storage: Azurite, from npm, with a random account key for each run."""

from __future__ import annotations

import base64
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from taxi_assets_tests.emulators.debian import install_package
from taxi_assets_tests.emulators.environments import LOCKS, building, installed, run
from taxi_assets_tests.emulators.server import (
    HOST,
    Unavailable,
    answers_http,
    free_port,
    serving,
    workspace,
)

LOCK = (LOCKS / "package.json", LOCKS / "package-lock.json")
_MAIN = "node_modules/azurite/dist/src/blob/main.js"
_OLDEST_NODE = 18


@dataclass(frozen=True)
class Azure:
    """A running server; ``blob_url`` is the account's."""

    blob_url: str
    account: str
    key: str

    @property
    def connection_string(self) -> str:
        """Account, key and address, for Azure's clients."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={self.account};"
            f"AccountKey={self.key};BlobEndpoint={self.blob_url};"
        )

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables for Azure's clients."""
        return {
            "AZURE_STORAGE_ACCOUNT": self.account,
            "AZURE_STORAGE_KEY": self.key,
            "AZURE_STORAGE_CONNECTION_STRING": self.connection_string,
        }


def install() -> None:
    """Install Azurite, and Debian's Node.js if there is none."""
    if shutil.which("npm") is None:
        install_package("npm")
    _node()
    with building("azure", *LOCK) as folder:
        for lock in LOCK:
            shutil.copy(lock, folder)
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)


@contextmanager
def running() -> Iterator[Azure]:
    """An empty server during the block."""
    main = installed("azure", *LOCK) / _MAIN
    port = free_port()
    account, key = "local", base64.b64encode(secrets.token_bytes(64)).decode()
    address = ["--blobHost", HOST, "--blobPort", str(port)]
    with workspace("azure") as folder:
        # The clients request a newer API version than the server has.
        flags = ["--skipApiVersionCheck", "--disableTelemetry", "--silent"]
        with serving(
            [_node(), main, *address, "--location", folder / "blobs", *flags],
            ready=partial(answers_http, port),
            folder=folder,
            environment={"AZURITE_ACCOUNTS": f"{account}:{key}"},
        ):
            yield Azure(f"http://{HOST}:{port}/{account}", account, key)


def _node() -> Path:
    node = shutil.which("node")
    if node:
        done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
        version = re.match(r"v(\d+)\.", done.stdout)
        if version and int(version[1]) >= _OLDEST_NODE:
            return Path(node)
    raise Unavailable(f"Azurite needs Node.js {_OLDEST_NODE} or newer on PATH")
