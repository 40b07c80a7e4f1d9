"""A password in an address is not shown by the UI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

PASSWORD = "hush-7f3"

# The snapshot of the repository, which the UI shows.
SHOWN = """
import dagster as dg
from dagster._core.remote_representation.external_data import RepositorySnap
from taxi_assets.definitions import defs
repository = defs().get_repository_def()
print(dg.serialize_value(RepositorySnap.from_def(repository)))
"""


def shown(**env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SHOWN],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_ui_shows_the_variables_name_where_an_address_may_hold_a_password(
    tmp_path: Path,
) -> None:
    page = shown(
        TAXI_HOME=str(tmp_path),
        TAXI_WAREHOUSE_URL=f"postgresql://taxi:{PASSWORD}@127.0.0.1:1/taxi",
        TAXI_TLC_URL=f"http://reader:{PASSWORD}@127.0.0.1:1/",
    )
    assert json.loads(page)
    assert PASSWORD not in page
    assert "TAXI_WAREHOUSE_URL" in page
