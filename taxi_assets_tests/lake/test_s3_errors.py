"""Errors of S3 and how they are translated, and preconditions that its emulator ignores."""

from __future__ import annotations

import base64
import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from taxi_assets.errors import ConcurrentWrite, Misconfigured, StoreUnavailable, TaxiAssetsError
from taxi_assets.lake.s3 import S3Store
from taxi_assets.lake.store import LakeObject
from taxi_assets_tests.lake import canned
from taxi_assets_tests.lake.canned import Canned, Response
from taxi_assets_tests.lake.files import new_file

KEY = "trips/trips.parquet"
BIG = bytes(9 << 20)  # more than one part
SHA256_HEADER = "x-amz-checksum-sha256"
FOUND = {
    "ETag": '"v1"',
    "Content-Length": "7",
    "x-amz-meta-facts": '{"sha256": "00"}',
}
V1 = LakeObject(f"s3://lake/{KEY}", KEY, 7, '"v1"', "00", None)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Canned]:
    with canned.running() as s3:
        monkeypatch.setenv("AWS_ENDPOINT_URL", s3.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield s3


def error(code: str, message: str = "an error of S3") -> str:
    return f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"


@pytest.mark.parametrize(
    ("status", "code", "kind", "remedy"),
    [
        (412, "PreconditionFailed", ConcurrentWrite, "another run"),
        (409, "ConditionalRequestConflict", ConcurrentWrite, "another run"),
        (404, "NoSuchBucket", Misconfigured, "aws s3 mb s3://lake"),
        (403, "AccessDenied", Misconfigured, r"s3:PutObject.* on lake/\*"),
        (403, "SignatureDoesNotMatch", Misconfigured, "AWS_SECRET_ACCESS_KEY"),
        (400, "ExpiredToken", Misconfigured, "AWS_SESSION_TOKEN"),
        (301, "PermanentRedirect", Misconfigured, "AWS_DEFAULT_REGION to lake's region"),
        (400, "BadDigest", StoreUnavailable, "Try later"),
        (405, "MethodNotAllowed", Misconfigured, "AWS_ENDPOINT_URL"),
        (501, "NotImplemented", Misconfigured, "lacks something"),
    ],
)
def test_an_error_response_has_a_remedy(
    s3: Canned, tmp_path: Path, status: int, code: str, kind: type[TaxiAssetsError], remedy: str
) -> None:
    s3.responses.append(Response("PUT", KEY, status, body=error(code)))
    with pytest.raises(kind, match=remedy) as raised:
        S3Store("s3://lake").put(new_file(tmp_path, b"content"), KEY, replacing=None)
    assert f"s3://lake/{KEY}" in str(raised.value) or code == "NoSuchBucket"


def test_a_new_object_must_not_replace_another(s3: Canned, tmp_path: Path) -> None:
    s3.responses.append(Response("PUT", KEY, 200, {"ETag": '"v1"'}))
    S3Store("s3://lake").put(new_file(tmp_path, b"content"), KEY, replacing=None)
    headers = s3.headers_of("PUT")
    assert headers["if-none-match"] == "*"
    assert headers[SHA256_HEADER] == base64.b64encode(hashlib.sha256(b"content").digest()).decode()


def test_a_replacement_names_the_version_it_replaces(s3: Canned, tmp_path: Path) -> None:
    s3.responses.append(Response("HEAD", KEY, 200, FOUND))
    s3.responses.append(Response("PUT", KEY, 200, {"ETag": '"v2"'}))
    S3Store("s3://lake").put(new_file(tmp_path, b"content"), KEY, replacing=V1)
    assert s3.headers_of("PUT")["if-match"] == '"v1"'


def test_a_multipart_upload_replaces_only_the_expected_version(s3: Canned, tmp_path: Path) -> None:
    begun = "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>"
    part = {"ETag": '"p"', SHA256_HEADER: base64.b64encode(bytes(32)).decode()}
    s3.responses += [
        Response("HEAD", KEY, 200, FOUND),
        Response("POST", "?uploads", 200, body=begun),
        Response("PUT", "uploadId=u1", 200, part),
        Response("POST", "uploadId=u1", 412, body=error("PreconditionFailed")),
        Response("DELETE", "uploadId=u1", 204),
    ]
    with pytest.raises(ConcurrentWrite):
        S3Store("s3://lake").put(new_file(tmp_path, BIG), KEY, replacing=V1)
    assert s3.headers_of("POST", "uploadId=u1")["if-match"] == '"v1"'
    # The uploaded parts are deleted, so that they are not billed.
    assert s3.headers_of("DELETE", "uploadId=u1")


def test_a_copy_has_preconditions_on_both_versions(s3: Canned) -> None:
    copied = "<CopyObjectResult><ETag>&quot;v3&quot;</ETag></CopyObjectResult>"
    s3.responses += [Response("HEAD", KEY, 200, FOUND), Response("PUT", "to", 200, body=copied)]
    stored = S3Store("s3://lake").copy(V1, "to", replacing=None)
    headers = s3.headers_of("PUT")
    assert stored.version == '"v3"'
    assert headers["if-none-match"] == "*"
    assert headers["x-amz-copy-source-if-match"] == '"v1"'


def test_a_transient_error_is_retried(s3: Canned, tmp_path: Path) -> None:
    s3.responses.append(Response("PUT", KEY, 503, body=error("SlowDown")))
    with pytest.raises(StoreUnavailable, match=r"SlowDown.* Try later"):
        S3Store("s3://lake").put(new_file(tmp_path, b"content"), KEY, replacing=None)
    assert len([one for one in s3.requests if one.method == "PUT"]) == 5


def test_an_interrupted_download_is_transient(s3: Canned, tmp_path: Path) -> None:
    cut = {"ETag": '"v1"', "Content-Length": "7", "Connection": "close"}
    s3.responses += [Response("HEAD", KEY, 200, FOUND), Response("GET", KEY, 200, cut, "cut")]
    with pytest.raises(StoreUnavailable, match=r"3 read.* Try later"):
        S3Store("s3://lake").fetch(V1, tmp_path / "fetched")
    assert list((tmp_path / "fetched").iterdir()) == []


def test_the_error_for_missing_credentials_lists_their_sources(
    s3: Canned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(Misconfigured, match=r"Unable to locate credentials.*AWS_PROFILE"):
        S3Store("s3://lake").find(KEY)


def test_an_unknown_profile_is_misconfigured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(Misconfigured, match="nobody"):
        S3Store("s3://lake")


def test_a_refused_connection_is_transient(s3: Canned, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
    with pytest.raises(StoreUnavailable, match=r"Could not connect.* Try later"):
        S3Store("s3://lake").find(KEY)
