"""Each request of the runner to Google needs only permissions that it is granted.

Emulators do not check permissions, so the recorder in front of them tells which methods are called.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from taxi_assets.datasets import Month
from taxi_assets.grants import DATASET, GRANTS, LAKE, PROJECT, RUNNER
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.emulators.bigquery import BigQuery
from taxi_assets_tests.emulators.gcs import Gcs
from taxi_assets_tests.emulators.recording.record import Record
from taxi_assets_tests.emulators.recording.request import CALLS
from taxi_assets_tests.lake.lakes import fresh_lake
from taxi_assets_tests.test_commands import command

# https://cloud.google.com/storage/docs/access-control/iam-json: a write needs delete to replace.
# https://cloud.google.com/bigquery/docs/access-control#bq-permissions: one's own jobs need nothing.
NEEDED = {
    "storage.buckets.get": {"storage.buckets.get"},
    "storage.objects.delete": {"storage.objects.delete"},
    "storage.objects.get": {"storage.objects.get"},
    "storage.objects.insert": {"storage.objects.create", "storage.objects.delete"},
    "storage.objects.list": {"storage.objects.list"},
    "storage.objects.rewrite": {
        "storage.objects.create",
        "storage.objects.delete",
        "storage.objects.get",
    },
    "bigquery.datasets.get": {"bigquery.datasets.get"},
    "bigquery.jobs.get": set(),
    "bigquery.jobs.getQueryResults": set(),
    "bigquery.jobs.insert": {"bigquery.jobs.create"},
    "bigquery.jobs.query": {"bigquery.jobs.create"},
    "bigquery.tabledata.list": {"bigquery.tables.getData"},
    "bigquery.tables.delete": {"bigquery.tables.delete"},
    "bigquery.tables.get": {"bigquery.tables.get"},
    "bigquery.tables.insert": {"bigquery.tables.create"},
    "bigquery.tables.list": {"bigquery.tables.list"},
    "bigquery.tables.patch": {"bigquery.tables.get", "bigquery.tables.update"},
}


def called(record: Record, after: int = 0) -> list[str]:
    """The methods of the requests, without parts of uploads, from that number on."""
    lines = (record.folder / CALLS).read_text("utf-8").splitlines()[after:]
    return [str(json.loads(line)["method"]).removesuffix(" (part)") for line in lines]


@pytest.mark.long
def test_every_request_of_a_month_of_its_reissue_and_of_check_is_granted(
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    gcs_emulator: Gcs,
    bigquery_emulator: BigQuery,
) -> None:
    lake = fresh_lake("gcs", tmp_path / "lake", request, monkeypatch)
    settings = {
        "TAXI_LAKE_URL": lake,
        "TAXI_WAREHOUSE_URL": request.getfixturevalue("bigquery_url"),
    }
    records = (gcs_emulator.record, bigquery_emulator.record)
    before = [len(called(each)) for each in records]
    with Simulator(tmp_path / "site") as tlc:
        tlc.publish_zones()
        for rows in (3_000, 2_000):
            tlc.publish("green", Month(2024, 1), rows=rows)
            months = ["--datasets", "green", "--months", "2024-01"]
            done = command(tmp_path, "run", *months, TAXI_TLC_URL=tlc.url, **settings)
            assert done.returncode == 0, done.stderr
        done = command(tmp_path, "check", TAXI_TLC_URL=tlc.url, **settings)
        # The emulator ignores some preconditions, which check finds.
        assert re.search(r"^ok +warehouse: drop ", done.stdout, re.M), done.stdout
    methods = {
        method
        for record, after in zip(records, before, strict=True)
        for method in called(record, after)
    }
    assert {"storage.objects.rewrite", "bigquery.jobs.insert"} <= methods
    assert methods <= set(NEEDED)
    granted = {
        permission
        for each in GRANTS
        if each.account == RUNNER and each.on in {LAKE, DATASET, PROJECT}
        for permission in each.permissions
    }
    assert set().union(*(NEEDED[method] for method in methods)) <= granted
    print("\n".join(sorted(methods)))
