"""Requests that the real service refuses are found, whatever process sends them."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from taxi_assets_tests.emulators import environments
from taxi_assets_tests.emulators.recording.record import InvalidRequests, Record, recording
from taxi_assets_tests.emulators.server import HOST, free_port
from taxi_assets_tests.lake import canned

JOBS = "/bigquery/v2/projects/local/jobs"
TABLES = "/bigquery/v2/projects/local/datasets/d/tables"
LOAD = '{"configuration": {"load": {%s}}}'
OBJECT = "/storage/v1/b/lake/o/a%2Fb.parquet"
UPLOAD = "/upload/storage/v1/b/lake/o?uploadType="
JSON = {"Content-Type": "application/json"}
PARTS = {"Content-Type": "multipart/related; boundary=x"}
COMPLETE = "<CompleteMultipartUpload><Part>%s</Part></CompleteMultipartUpload>"

Recorders = Callable[[str], Record]


@pytest.fixture(scope="module")
def server() -> Iterator[canned.Canned]:
    """Answers every request."""
    with canned.running() as running:
        session = {"Location": f"{running.url}/upload/storage/v1/b/lake/o?upload_id=given"}
        running.responses = [
            canned.Response("POST", "uploadType=resumable", 200, session),
            *(canned.Response(verb, "", 200) for verb in ("GET", "HEAD", "PUT", "POST", "DELETE")),
        ]
        yield running


@pytest.fixture(scope="module")
def recorders(server: canned.Canned) -> Iterator[Recorders]:
    """A recorder of each service, in front of that server."""
    started: dict[str, Record] = {}
    with ExitStack() as stack:

        def of(service: str) -> Record:
            if service not in started:
                port = int(server.url.rpartition(":")[2])
                started[service] = stack.enter_context(recording(service, free_port(), port))
            return started[service]

        yield of


def send(
    record: Record, method: str, target: str, body: str = "", headers: dict[str, str] | None = None
) -> list[str]:
    """Send a request; what is wrong with it."""
    connection = http.client.HTTPConnection(HOST, record.port)
    connection.request(method, target, body or None, headers or {})
    connection.getresponse().read()
    connection.close()
    return record.take_violations()


def multipart(metadata: str) -> str:
    return f"--x\r\nContent-Type: application/json\r\n\r\n{metadata}\r\n--x\r\n\r\nPAR1\r\n--x--"


@pytest.mark.parametrize(
    ("service", "method", "target", "body", "headers", "wrong"),
    [
        ("gcs", "GET", "/storage/v1/b/lake/things", "", {}, "method: no method of the API"),
        ("gcs", "PUT", f"{OBJECT}/rewriteTo", "", {}, "method: no method of the API"),
        ("gcs", "GET", f"{OBJECT}?ifGeneration=1", "", {}, "?ifGeneration: unknown parameter"),
        ("gcs", "GET", f"{OBJECT}?projection=some", "", {}, "'some' is not one of full, noAcl"),
        ("gcs", "GET", f"{OBJECT}?generation=new", "", {}, "'new' is not an integer"),
        ("gcs", "GET", f"{OBJECT}?generation=1&generation=2", "", {}, "more than once"),
        ("gcs", "POST", "/storage/v1/b", "{}", JSON, "?project: required, but missing"),
        ("gcs", "DELETE", OBJECT, "{}", JSON, "body: the method takes none"),
        ("gcs", "POST", f"{UPLOAD}whole", "{}", JSON, "'whole' is not one of media, multipart"),
        ("gcs", "PATCH", OBJECT, '{"metadat": {}}', JSON, "metadat: unknown field"),
        ("gcs", "POST", f"{UPLOAD}resumable", '{"Name": "a"}', JSON, "Name: unknown field"),
        ("gcs", "POST", f"{UPLOAD}multipart", multipart('{"nam": ""}'), PARTS, "nam: unknown"),
        ("gcs", "POST", f"{UPLOAD}multipart", multipart('{"md5Hash": 1}'), PARTS, "not a string"),
        ("gcs", "PUT", "/upload/storage/v1/b/lake/o?upload_id=made-up", "PAR1", {}, "no such"),
        (
            "bigquery", "POST", JOBS, LOAD % '"clusterin": {"fields": ["a"]}', JSON,
            "configuration.load.clusterin: unknown field",
        ),
        (
            "bigquery", "POST", JOBS, LOAD % '"schema": {"fields": [{"typ": "DATE"}]}', JSON,
            "configuration.load.schema.fields[].typ: unknown field",
        ),
        ("bigquery", "POST", JOBS, LOAD % '"columnNameCharacterMap": "V3"', JSON, "not one of"),
        ("bigquery", "POST", JOBS, LOAD % '"autodetect": "yes"', JSON, "not of type boolean"),
        ("bigquery", "POST", JOBS, LOAD % '"sourceUris": "gs://x"', JSON, "not of type array"),
        ("bigquery", "POST", JOBS, LOAD % '"maxBadRecords": "few"', JSON, "not of type integer"),
        ("bigquery", "POST", TABLES, '{"expirationTime": "soon"}', JSON, "not of type string"),
        ("bigquery", "GET", f"{TABLES}/t?view=ALL", "", {}, "'ALL' is not one of"),
        ("bigquery", "POST", JOBS, "[1", JSON, "body: is not JSON"),
        ("s3", "GET", "/lake?list-type=2&prefixes=a", "", {}, "?prefixes: unknown parameter"),
        ("s3", "GET", "/lake?list-type=2&max-keys=all", "", {}, "'all' is not an integer"),
        ("s3", "PUT", "/lake/a", "PAR1", {"x-amz-checksum": "x"}, "x-amz-checksum: unknown header"),
        ("s3", "PUT", "/lake/a", "PAR1", {"If-Modified": "x"}, "if-modified: unknown header"),
        ("s3", "PUT", "/lake/a", "", {"x-amz-storage-class": "COLD"}, "'COLD' is not one of"),
        ("s3", "PATCH", "/lake/a", "", {}, "operation: none has this method"),
        ("s3", "POST", "/lake/a?uploadId=1", COMPLETE % "<Tag/>", {}, "Part.Tag: unknown element"),
        (
            "s3", "POST", "/lake/a?uploadId=1", COMPLETE % "<PartNumber>one</PartNumber>", {},
            "'one' is not an integer",
        ),
    ],
)  # fmt: skip
def test_what_the_service_does_not_know_is_found(
    recorders: Recorders,
    service: str,
    method: str,
    target: str,
    body: str,
    headers: dict[str, str],
    wrong: str,
) -> None:
    [found] = send(recorders(service), method, target, body, headers)
    assert found.startswith(f"{method} {target.partition('?')[0]} (")
    assert wrong in found


@pytest.mark.parametrize(
    ("service", "method", "target", "body", "headers", "called"),
    [
        ("gcs", "GET", f"{OBJECT}?generation=1", "", {}, "storage.objects.get: ?generation"),
        ("gcs", "GET", f"/download{OBJECT}?alt=media", "", {}, "storage.objects.get: ?alt"),
        (
            "gcs", "POST", f"{UPLOAD}multipart", multipart('{"metadata": {"any": "1"}}'), PARTS,
            "storage.objects.insert: ?uploadType metadata.*",
        ),
        (
            "bigquery", "POST", JOBS,
            LOAD % '"maxBadRecords": 1, "sourceUris": ["gs://x"], "clustering": null', JSON,
            "bigquery.jobs.insert: configuration.load.clustering configuration.load.maxBadRecords\n"
            "        configuration.load.sourceUris[]",
        ),
        ("s3", "PUT", "/lake/a", "PAR1", {"If-Match": '"1"'}, "PutObject: if-match"),
        (
            "s3", "PUT", "/lake/b", "", {"x-amz-copy-source": "lake/a", "x-amz-meta-facts": "{}"},
            "CopyObject: x-amz-copy-source x-amz-meta-*",
        ),
        (
            "s3", "PUT", "/lake/a?partNumber=1&uploadId=1", "PAR1", {},
            "UploadPart: ?partNumber ?uploadId",
        ),
        ("s3", "GET", "/lake?uploads&prefix=a", "", {}, "ListMultipartUploads: ?prefix ?uploads"),
    ],
)  # fmt: skip
def test_a_valid_request_is_reported_with_its_method_and_fields(
    recorders: Recorders,
    service: str,
    method: str,
    target: str,
    body: str,
    headers: dict[str, str],
    called: str,
) -> None:
    record = recorders(service)
    (record.folder / "calls.jsonl").write_text("")
    assert send(record, method, target, body, headers) == []
    assert f" 1 {called}\n" in record.report()


def test_parts_of_an_upload_go_to_the_session_that_the_server_gave(recorders: Recorders) -> None:
    record = recorders("gcs")
    part = "/upload/storage/v1/b/lake/o?upload_id=given"
    assert send(record, "POST", f"{UPLOAD}resumable", '{"name": "a"}', JSON) == []
    assert send(record, "PUT", part, "PAR1") == []
    assert send(record, "DELETE", part) == []
    [found] = send(record, "POST", part)
    assert "no such session" in found


def test_content_is_forwarded_as_it_is(recorders: Recorders, server: canned.Canned) -> None:
    server.responses.insert(0, canned.Response("GET", "a%2Fb?alt=media", 206, {"X-A": "b"}, "RAP"))
    connection = http.client.HTTPConnection(HOST, recorders("gcs").port)
    connection.request("GET", "/storage/v1/b/lake/o/a%2Fb?alt=media", headers={"Range": "bytes=1-"})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["X-A"], answer.read()) == (206, "b", b"RAP")
    connection.close()
    assert server.requests[-1].path == "/storage/v1/b/lake/o/a%2Fb?alt=media"
    assert server.requests[-1].headers["range"] == "bytes=1-"


def test_violations_that_nobody_took_end_the_block(server: canned.Canned) -> None:
    def one_wrong_request() -> None:
        port = int(server.url.rpartition(":")[2])
        with recording("gcs", free_port(), port) as record:
            urllib.request.urlopen(f"{record.url}{OBJECT}?wrong=1").close()

    with pytest.raises(InvalidRequests, match="unknown parameter"):
        one_wrong_request()


@pytest.mark.usefixtures("gcs_emulator")  # skips if it is not installed
def test_a_test_fails_whose_child_process_sends_an_unknown_field(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "from taxi_assets_tests.conftest import _valid_requests, gcs_emulator\n"
    )
    (tmp_path / "test_it.py").write_text(
        "import subprocess, sys\n"
        "PROGRAM = '''\n"
        "import os, urllib.request as r\n"
        "url = os.environ['STORAGE_EMULATOR_HOST'] + '/storage/v1/b?project=local'\n"
        'r.urlopen(r.Request(url, b\'{"name": "lake", "colour": "red"}\')).read()\n'
        "'''\n"
        "def test_it(gcs_emulator):\n"
        "    command = [sys.executable, '-c', PROGRAM]\n"
        "    subprocess.run(command, env=gcs_emulator.environment, check=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(environments.ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert "POST /storage/v1/b (storage.buckets.insert): colour: unknown field" in done.stdout
