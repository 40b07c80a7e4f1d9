"""Job ids, retries that join the running job, and errors of BigQuery and how they are translated.

Uses a stub of BigQuery's REST API on loopback, because the emulator cannot be made to fail or to
run slowly.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from taxi_assets import retry_policy
from taxi_assets.errors import (
    AuditFailed,
    ConcurrentWrite,
    Misconfigured,
    ObjectMissing,
    PermanentError,
    StoreUnavailable,
    TableSchemaConflict,
    TaxiAssetsError,
)
from taxi_assets.services import named_errors
from taxi_assets.warehouse.bigquery_errors import BIGQUERY
from taxi_assets.warehouse.bigquery_jobs import Content, details_of, run_job, start_load
from taxi_assets.warehouse.bigquery_requests import run_query

CONTENT = Content("p.nyc.green_trips$202401", ("zone",), "gs://lake/trips.parquet", "17", "abc")
NAME = CONTENT.job_name("green_trips-202401")
Response = tuple[int, dict[str, Any]]


class Jobs:
    """The stub's jobs by id, and the outcome of the next one."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, Any]] = {}
        self.created: list[str] = []
        self.error: dict[str, str] | None = None
        self.response: Response | None = None
        self.requests = 0
        self.lost = 0  # answers of jobs.insert
        self.hidden = 0  # jobs.get that do not find the job yet
        self.inserted: list[dict[str, Any]] = []

    def add(self, job_id: str, state: str, error: dict[str, str] | None = None) -> None:
        status: dict[str, Any] = {"state": state}
        if error:
            status |= {"errorResult": error, "errors": [error, {"message": "row 7", "reason": "x"}]}
        self.known[job_id] = {
            "jobReference": {"projectId": "p", "jobId": job_id, "location": "EU"},
            "configuration": {
                "load": {
                    "destinationTable": {"projectId": "p", "datasetId": "nyc", "tableId": "t"},
                    "sourceUris": [CONTENT.uri],
                }
            },
            "status": status,
            "statistics": {
                "totalSlotMs": "1234",
                "load": {"outputRows": "3", "inputFileBytes": "99"},
            },
        }

    def insert(self, body: dict[str, Any]) -> Response:
        job_id = body["jobReference"]["jobId"]
        if self.response:
            return self.response
        if job_id in self.known:
            return 409, _error(409, "duplicate", f"Already Exists: Job p:EU.{job_id}")
        self.created.append(job_id)
        self.inserted.append(body)
        self.add(job_id, "DONE", self.error)
        if self.lost:
            self.lost -= 1
            return 503, _error(503, "backendError", "the answer is lost")
        return 200, self.known[job_id]

    def get(self, job_id: str) -> Response:
        self.requests += 1
        if self.hidden:
            self.hidden -= 1
            return 404, _error(404, "notFound", f"Not found: Job p:EU.{job_id}")
        job = json.loads(json.dumps(self.known[job_id]))
        if self.requests > 1:  # a running job has ended by the second request
            self.known[job_id]["status"]["state"] = "DONE"
        return 200, job


def _error(status: int, reason: str, message: str) -> dict[str, Any]:
    details = [{"reason": reason, "message": message}]
    return {"error": {"code": status, "message": message, "errors": details}}


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture
def client(jobs: Jobs) -> Iterator[bigquery.Client]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(*jobs.insert(json.loads(body)))

        def do_GET(self) -> None:
            self._answer(*jobs.get(self.path.partition("?")[0].rpartition("/")[2]))

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield bigquery.Client(
        "p",
        AnonymousCredentials(),  # type: ignore[no-untyped-call]  # by Google
        client_options={"api_endpoint": f"http://127.0.0.1:{server.server_port}"},
    )
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def run(client: bigquery.Client) -> Callable[[], bigquery.LoadJob]:
    def start(job_id: str) -> bigquery.LoadJob:
        no_retry: Any = None  # these tests are about the error
        return client.load_table_from_uri(
            CONTENT.uri, "p.nyc.t", job_id=job_id, location="EU", retry=no_retry
        )

    def run_named() -> bigquery.LoadJob:
        with named_errors(BIGQUERY, "Loading nyc.green_trips 2024-01"):
            return run_job(client, NAME, "EU", start)

    return run_named


def test_a_job_s_name_identifies_its_content() -> None:
    assert CONTENT.job_name("x") == Content(**_facts()).job_name("x")
    for name, other in {"destination": "p.nyc.green_trips$202402", "version": "18"}.items():
        assert Content(**_facts(**{name: other})).job_name("x") != CONTENT.job_name("x")


def test_the_first_job_has_the_first_id(run: Callable[[], Any], jobs: Jobs) -> None:
    run()
    assert jobs.created == [f"{NAME}-0"]


def test_a_retry_joins_the_running_job(run: Callable[[], Any], jobs: Jobs) -> None:
    jobs.add(f"{NAME}-0", "RUNNING")
    assert run().job_id == f"{NAME}-0"
    assert jobs.created == []


def test_a_running_job_is_joined_though_it_is_not_found_at_once(
    run: Callable[[], Any], jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry_policy, "FIRST_DELAY_SECONDS", 0.001)
    jobs.add(f"{NAME}-0", "RUNNING")
    jobs.hidden = 2
    assert run().job_id == f"{NAME}-0"


def test_a_load_whose_answer_was_lost_is_loaded_with_the_month_s_rows(
    client: bigquery.Client, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry_policy, "FIRST_DELAY_SECONDS", 0.001)
    target = bigquery.TableReference.from_string("p.nyc.t")
    located: Any = SimpleNamespace(path=None, uri=CONTENT.uri)
    config = bigquery.LoadJobConfig(source_format="PARQUET")
    jobs.lost = 1
    job = run_job(client, NAME, "EU", partial(start_load, client, located, target, config, "EU"))
    assert job.output_rows == 3
    # The first has ended by then, so it may have been replaced since.
    assert jobs.created == [f"{NAME}-0", f"{NAME}-1"]
    assert {body["jobReference"]["location"] for body in jobs.inserted} == {"EU"}


def test_a_query_whose_answer_was_lost_runs_once_and_its_bytes_are_limited(
    client: bigquery.Client, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry_policy, "FIRST_DELAY_SECONDS", 0.001)
    jobs.lost = 1
    run_query(client, "INSERT INTO t VALUES (1)", "EU", bigquery.QueryJobConfig())
    (body,) = jobs.inserted
    assert int(body["configuration"]["query"]["maximumBytesBilled"]) == 1 << 30
    assert body["configuration"]["labels"] == {"managed_by": "taxi_assets"}


def test_a_finished_job_is_not_reused(run: Callable[[], Any], jobs: Jobs) -> None:
    jobs.add(f"{NAME}-0", "DONE")
    assert run().job_id == f"{NAME}-1"


def test_a_failed_job_gets_a_new_id(run: Callable[[], Any], jobs: Jobs) -> None:
    jobs.error = {"reason": "backendError", "message": "try later"}
    with pytest.raises(StoreUnavailable):
        run()
    jobs.error = None
    assert run().job_id == f"{NAME}-1"


def test_the_error_of_a_joined_job_is_raised(run: Callable[[], Any], jobs: Jobs) -> None:
    jobs.add(f"{NAME}-0", "RUNNING", {"reason": "invalid", "message": "bad column fare"})
    with pytest.raises(AuditFailed, match="bad column fare"):
        run()


def test_details_have_bytes_slot_time_and_the_console_page(run: Callable[[], Any]) -> None:
    assert details_of(run()) == {
        "job_id": f"{NAME}-0",
        "input_bytes": 99,
        "slot_millis": 1234,
        "console": (
            "https://console.cloud.google.com/bigquery?project=p"
            f"&j=bq:EU:{NAME}-0&page=queryresults"
        ),
    }


PARTITION = "Some rows belong to different partitions rather than destination partition p:nyc.t"
LAYOUT = (
    "Incompatible table partitioning specification. Expects partitioning specification "
    "interval(type:month,field:source_month) clustering(zone), but input partitioning "
    "specification is clustering(zone)"
)
LOCATIONS = "Cannot read and write in different locations: source: US, destination: EU"


@pytest.mark.parametrize(
    ("reason", "message", "kind", "expected"),
    [
        ("invalid", "Error while reading data: bad footer", AuditFailed, "bad footer; row 7"),
        ("invalid", PARTITION, AuditFailed, "source_month"),
        ("invalid", LAYOUT, TableSchemaConflict, "made with another partitioning"),
        ("invalid", LOCATIONS, Misconfigured, "source: US, destination: EU.*Neither can be moved"),
        ("accessDenied", "Access Denied: File gs://lake", Misconfigured, "legacyBucketReader"),
        (
            "notFound",
            "Not found: URI gs://lake/trips.parquet",
            ConcurrentWrite,
            "Two runs",
        ),
        (
            "notFound",
            "Not found: URI gs://lake/Dataset/trips.parquet",
            ConcurrentWrite,
            "Two runs",
        ),
        (
            "invalid",
            "Error while reading data, file gs://lake/belong to different partitions/t.parquet",
            AuditFailed,
            "Correct the file or the specification",
        ),
        ("rateLimitExceeded", "too many table updates", StoreUnavailable, "Try later"),
        ("jobInternalError", "internal", StoreUnavailable, "Try later"),
        ("quotaExceeded", "imports per table", StoreUnavailable, "ten minutes to a day"),
        ("timeout", "The job timed out", StoreUnavailable, "Try later"),
        ("stopped", "User requested cancellation", PermanentError, f"{NAME}-0.*audit logs say who"),
        ("resourcesExceeded", "too much memory", AuditFailed, "50 MB"),
        ("blocked", "blocked", Misconfigured, "Google's support"),
        ("billingNotEnabled", "no billing", Misconfigured, "Enable billing"),
        ("notImplemented", "not there", Misconfigured, "check the address"),
    ],
)
def test_the_error_of_a_failed_job_has_a_remedy(
    run: Callable[[], Any],
    jobs: Jobs,
    reason: str,
    message: str,
    kind: type[TaxiAssetsError],
    expected: str,
) -> None:
    jobs.error = {"reason": reason, "message": message}
    with pytest.raises(kind, match=expected):
        run()


@pytest.mark.parametrize(
    ("status", "reason", "message", "kind", "expected"),
    [
        (403, "accessDenied", "User lacks bigquery.jobs.create", Misconfigured, "jobUser"),
        (403, "quotaExceeded", "quota", StoreUnavailable, "wait, or raise it"),
        (404, "notFound", "Not found: Dataset p:nyc", Misconfigured, "bq --location"),
        (404, "notFound", "Dataset p:nyc was not found in location US", Misconfigured, "location="),
        (404, "notFound", "Not found: Table p:nyc.Dataset", ObjectMissing, "in the lake again"),
        (404, "notFound", "Not found: URI gs://lake/x", ConcurrentWrite, "Two runs"),
        (403, "policyViolation", "VPC Service Controls", Misconfigured, "dataEditor"),
        (400, "invalid", "Invalid schema", AuditFailed, "Invalid schema"),
        (429, "rateLimitExceeded", "slow down", StoreUnavailable, "slow down"),
        (503, "backendError", "unavailable", StoreUnavailable, "unavailable"),
        (412, "conditionNotMet", "schema changed", StoreUnavailable, "schema changed"),
        (401, "authError", "Invalid Credentials", Misconfigured, "gcloud auth"),
        (403, "accessNotConfigured", "API not used", Misconfigured, "gcloud services enable"),
        (403, "billingNotEnabled", "no billing", Misconfigured, "Enable billing"),
        (501, "notImplemented", "not there", Misconfigured, "check the address"),
        (400, "invalidQuery", "Unrecognized name", Misconfigured, "loaded_months"),
        (400, "bytesBilledLimitExceeded", "1 GiB", Misconfigured, "this package's own"),
    ],
)
def test_the_error_of_a_failed_request_has_a_remedy(
    run: Callable[[], Any],
    jobs: Jobs,
    status: int,
    reason: str,
    message: str,
    kind: type[TaxiAssetsError],
    expected: str,
) -> None:
    jobs.response = (status, _error(status, reason, message))
    with pytest.raises(kind, match=expected) as caught:
        run()
    assert "2024-01" in str(caught.value)


def _facts(**changes: str) -> dict[str, Any]:
    facts = {
        "destination": CONTENT.destination,
        "columns": CONTENT.columns,
        "uri": CONTENT.uri,
        "version": CONTENT.version,
        "sha256": CONTENT.sha256,
    }
    return {**facts, **changes}
