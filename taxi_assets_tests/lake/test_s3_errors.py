"""Errors of S3 and how they are translated, and preconditions that its emulator ignores."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from taxi_assets.errors import ConcurrentWrite, Misconfigured, StoreUnavailable, TaxiAssetsError
from taxi_assets.lake.s3 import S3Store
from taxi_assets.lake.store import LakeObject, NewObject
from taxi_assets.retry_policy import ATTEMPTS
from taxi_assets_tests.lake import canned
from taxi_assets_tests.lake.canned import CUT, Canned, Response
from taxi_assets_tests.lake.files import new_file

KEY = "trips/trips.parquet"
BIG = bytes(9 << 20)  # more than one part
SHA256_HEADER = "x-amz-checksum-sha256"
FOUND = {
    "ETag": '"v1"',
    "Content-Length": "7",
    "x-amz-meta-facts": '{"sha256": "00"}',
}
BEGUN = "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>"
PART = {"ETag": '"p"', SHA256_HEADER: base64.b64encode(bytes(32)).decode()}
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
    s3.responses += [
        Response("HEAD", KEY, 200, FOUND),
        Response("POST", "?uploads", 200, body=BEGUN),
        Response("PUT", "uploadId=u1", 200, PART),
        Response("POST", "uploadId=u1", 412, body=error("PreconditionFailed")),
        Response("DELETE", "uploadId=u1", 204),
    ]
    with pytest.raises(ConcurrentWrite):
        S3Store("s3://lake").put(new_file(tmp_path, BIG), KEY, replacing=V1)
    assert s3.headers_of("POST", "uploadId=u1")["if-match"] == '"v1"'
    # The uploaded parts are deleted, so that they are not billed.
    assert s3.headers_of("DELETE", "uploadId=u1")


def own(new: NewObject, version: str) -> Response:
    """The answer for an object that was written from ``new``."""
    facts = json.dumps(new.described())
    return Response("HEAD", KEY, 200, {"ETag": version, "x-amz-meta-facts": facts})


def test_a_put_whose_answer_was_lost_is_this_run_s_own(s3: Canned, tmp_path: Path) -> None:
    new = new_file(tmp_path, b"content", {"etag": "1"})
    s3.responses += [
        Response("HEAD", KEY, 404, times=1),
        Response("PUT", KEY, CUT, times=1),
        Response("PUT", KEY, 412, body=error("PreconditionFailed")),
        own(new, '"v1"'),
    ]
    assert S3Store("s3://lake").put(new, KEY, replacing=None).version == '"v1"'


def test_an_upload_whose_last_answer_was_lost_is_this_run_s_own(s3: Canned, tmp_path: Path) -> None:
    new = new_file(tmp_path, BIG)
    s3.responses += [
        Response("HEAD", KEY, 404, times=1),
        Response("POST", "?uploads", 200, body=BEGUN),
        Response("PUT", "uploadId=u1", 200, PART),
        Response("POST", "uploadId=u1", CUT, times=1),
        Response("POST", "uploadId=u1", 404, body=error("NoSuchUpload")),
        own(new, '"v1"'),
    ]
    assert S3Store("s3://lake").put(new, KEY, replacing=None).version == '"v1"'


def test_an_upload_that_was_aborted_by_others_is_no_missing_object(
    s3: Canned, tmp_path: Path
) -> None:
    s3.responses += [
        Response("POST", "?uploads", 200, body=BEGUN),
        Response("PUT", "uploadId=u1", 404, body=error("NoSuchUpload")),
    ]
    with pytest.raises(ConcurrentWrite, match="parts were removed meanwhile"):
        S3Store("s3://lake").put(new_file(tmp_path, BIG), KEY, replacing=None)


def test_a_copy_whose_answer_was_lost_is_this_run_s_own(s3: Canned) -> None:
    facts = {"x-amz-meta-facts": json.dumps(V1.described())}
    s3.responses += [
        Response("HEAD", KEY, 200, FOUND),
        Response("HEAD", "to", 404, times=1),
        Response("PUT", "to", CUT, times=1),
        Response("PUT", "to", 412, body=error("PreconditionFailed")),
        Response("HEAD", "to", 200, {"ETag": '"v3"', **facts}),
    ]
    assert S3Store("s3://lake").copy(V1, "to", replacing=None).version == '"v3"'


def test_forgotten_uploads_of_the_same_key_are_aborted(s3: Canned, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    uploads = "".join(
        f"<Upload><Key>{key}</Key><UploadId>{name}</UploadId>"
        f"<Initiated>{begun.isoformat()}</Initiated></Upload>"
        for key, name, begun in (
            (KEY, "old", now - timedelta(days=2)),
            (KEY, "live", now - timedelta(hours=2)),
            (f"{KEY}.other", "other", now - timedelta(days=2)),
        )
    )
    listed = f"<ListMultipartUploadsResult>{uploads}</ListMultipartUploadsResult>"
    s3.responses += [
        Response("GET", "?uploads", 200, body=listed),
        Response("DELETE", "uploadId", 204),
        Response("POST", "?uploads", 200, body=BEGUN),
        Response("PUT", "uploadId=u1", 200, PART),
        Response("POST", "uploadId=u1", 200, body="<X><ETag>v1</ETag></X>"),
    ]
    S3Store("s3://lake").put(new_file(tmp_path, BIG), KEY, replacing=None)
    [aborted] = [one.path for one in s3.requests if one.method == "DELETE"]
    assert "uploadId=old" in aborted
    [asked] = [one.path for one in s3.requests if one.method == "GET"]
    assert f"prefix={KEY.replace('/', '%2F')}" in asked


def test_an_upload_needs_no_permission_to_list_uploads(s3: Canned, tmp_path: Path) -> None:
    s3.responses += [
        Response("GET", "?uploads", 403, body=error("AccessDenied")),
        Response("POST", "?uploads", 200, body=BEGUN),
        Response("PUT", "uploadId=u1", 200, PART),
        Response("POST", "uploadId=u1", 200, body="<X><ETag>v1</ETag></X>"),
    ]
    stored = S3Store("s3://lake").put(new_file(tmp_path, BIG), KEY, replacing=None)
    assert stored.version == "v1"


def test_an_interrupted_download_is_resumed(s3: Canned, tmp_path: Path) -> None:
    content = b"content"
    sha256 = hashlib.sha256(content).hexdigest()
    cut = {"ETag": '"v1"', "Content-Length": "7", "Connection": "close"}
    s3.responses += [
        Response("HEAD", KEY, 200, FOUND),
        Response("GET", KEY, 200, cut, "con", times=1),
        Response("GET", KEY, 206, {"ETag": '"v1"', "Content-Range": "bytes 3-6/7"}, "tent"),
    ]
    found = replace(V1, sha256=sha256)
    assert S3Store("s3://lake").fetch(found, tmp_path / "fetched").read_bytes() == content
    gets = [one.headers for one in s3.requests if one.method == "GET"]
    assert [one.get("range") for one in gets] == [None, "bytes=3-"]
    assert {one["if-match"] for one in gets} == {'"v1"'}


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
    assert len([one for one in s3.requests if one.method == "GET"]) == ATTEMPTS


def test_a_download_that_is_refused_is_sent_five_times(s3: Canned, tmp_path: Path) -> None:
    s3.responses += [Response("HEAD", KEY, 200, FOUND), Response("GET", KEY, 503)]
    with pytest.raises(StoreUnavailable, match="Try later"):
        S3Store("s3://lake").fetch(V1, tmp_path / "fetched")
    assert len([one for one in s3.requests if one.method == "GET"]) == ATTEMPTS


def test_a_download_with_a_wrong_checksum_is_transient(s3: Canned, tmp_path: Path) -> None:
    wrong = {"ETag": '"v1"', SHA256_HEADER: base64.b64encode(bytes(32)).decode()}
    s3.responses += [Response("HEAD", KEY, 200, FOUND), Response("GET", KEY, 200, wrong, "rotten")]
    with pytest.raises(StoreUnavailable, match=r"checksum.* Try later"):
        S3Store("s3://lake").fetch(V1, tmp_path / "fetched")


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
