from __future__ import annotations

import hashlib
import os
import threading
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest

from taxi_assets.datasets.month import Month
from taxi_assets.simulator.server import Simulator

PATH = "/trip-data/green_tripdata_2024-01.parquet"
MONTH = Month(2024, 1)


@pytest.fixture
def content(tlc: Simulator) -> bytes:
    """The bytes of the one published month."""
    return tlc.publish("green", MONTH, rows=500).read_bytes()


def etag_of(content: bytes) -> str:
    return f'"{hashlib.md5(content).hexdigest()}"'


def test_a_published_month_is_served_whole(client: httpx.Client, content: bytes) -> None:
    response = client.get(PATH)
    assert response.status_code == 200
    assert response.content == content
    assert response.headers["ETag"] == etag_of(content)
    assert response.headers["Content-Length"] == str(len(content))
    assert response.headers["Accept-Ranges"] == "bytes"


def test_last_modified_is_the_modification_time_of_the_file(
    tlc: Simulator, client: httpx.Client
) -> None:
    path = tlc.publish("green", MONTH, rows=10)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    response = client.head(PATH)
    assert parsedate_to_datetime(response.headers["Last-Modified"]).timestamp() == 1_700_000_000


def test_head_has_the_headers_of_get_without_a_body(client: httpx.Client, content: bytes) -> None:
    head, get = client.head(PATH), client.get(PATH)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("ETag", "Last-Modified", "Content-Length", "Accept-Ranges", "Content-Type"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize(
    "path",
    [
        "/trip-data/green_tripdata_2024-02.parquet",
        "/trip-data/",
        "/trip-data",
        "/",
        "/misc/taxi_zone_lookup.csv",
        "/secret.txt",
        "/trip-data/../secret.txt",
        "/trip-data/%2e%2e/secret.txt",
        "/trip-data/..%2fsecret.txt",
        "/trip-data/.hidden",
    ],
)
def test_an_unpublished_path_is_denied_like_s3_does(
    tmp_path: Path, client: httpx.Client, content: bytes, path: str
) -> None:
    (tmp_path / "site" / "secret.txt").write_text("secret")
    (tmp_path / "site" / "trip-data" / ".hidden").write_text("half a file")
    request = client.build_request("GET", "/")
    request.url = client.base_url.copy_with(raw_path=path.encode())
    response = client.send(request)
    assert response.status_code == 403
    assert response.headers["Content-Type"] == "application/xml"
    assert ElementTree.fromstring(response.content).findtext("Code") == "AccessDenied"


def test_head_of_an_unpublished_path_is_denied_without_a_body(client: httpx.Client) -> None:
    response = client.head(PATH)
    assert (response.status_code, response.content) == (403, b"")
    assert client.get(PATH).status_code == 403  # the connection is still usable


@pytest.mark.parametrize(
    ("byte_range", "begin", "end"),
    [("bytes=100-199", 100, 200), ("bytes=5000-", 5000, None), ("bytes=-8", -8, None),
     ("bytes=0-0", 0, 1), ("bytes=10-99999999", 10, None), ("bytes=-99999999", 0, None)],
)  # fmt: skip
def test_a_range_is_served_alone(
    client: httpx.Client, content: bytes, byte_range: str, begin: int, end: int | None
) -> None:
    response = client.get(PATH, headers={"Range": byte_range})
    expected = content[begin:end]
    first = content.index(expected) if len(expected) > 8 else begin % len(content)
    assert response.status_code == 206
    assert response.content == expected
    last = first + len(expected) - 1
    assert response.headers["Content-Range"] == f"bytes {first}-{last}/{len(content)}"
    assert response.headers["Content-Length"] == str(len(expected))


@pytest.mark.parametrize(
    "byte_range", ["bytes=0-1,5-6", "bytes=-", "bytes=9-3", "pages=1-2", "junk"]
)
def test_a_range_that_s3_ignores_gives_the_whole_file(
    client: httpx.Client, content: bytes, byte_range: str
) -> None:
    response = client.get(PATH, headers={"Range": byte_range})
    assert (response.status_code, response.content) == (200, content)


def test_a_range_beyond_the_end_cannot_be_satisfied(client: httpx.Client, content: bytes) -> None:
    response = client.get(PATH, headers={"Range": f"bytes={len(content)}-"})
    assert response.status_code == 416
    assert response.headers["Content-Range"] == f"bytes */{len(content)}"


def test_if_range_resumes_only_the_same_content(
    tlc: Simulator, client: httpx.Client, content: bytes
) -> None:
    headers = {"Range": "bytes=1000-", "If-Range": etag_of(content)}
    assert client.get(PATH, headers=headers).status_code == 206
    reissued = tlc.publish("green", MONTH, rows=501).read_bytes()
    response = client.get(PATH, headers=headers)
    assert (response.status_code, response.content) == (200, reissued)


def test_if_range_accepts_a_date(client: httpx.Client, content: bytes) -> None:
    date = client.head(PATH).headers["Last-Modified"]
    headers = {"Range": "bytes=1000-", "If-Range": date}
    assert client.get(PATH, headers=headers).status_code == 206
    headers["If-Range"] = formatdate(0, usegmt=True)
    assert client.get(PATH, headers=headers).status_code == 200


@pytest.mark.parametrize("form", ["{}", '"other", {}', "W/{}", "*"])
def test_known_content_is_not_sent_again(client: httpx.Client, content: bytes, form: str) -> None:
    headers = {"If-None-Match": form.format(etag_of(content))}
    for method in ("GET", "HEAD"):
        response = client.request(method, PATH, headers=headers)
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["ETag"] == etag_of(content)
    assert client.get(PATH, headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_etag_follows_the_content(tlc: Simulator, client: httpx.Client) -> None:
    etags = []
    for rows, seed in ((500, 0), (500, 0), (501, 0), (501, 1)):
        published = tlc.publish("green", MONTH, rows=rows, seed=seed)
        etags.append(client.head(PATH).headers["ETag"])
        assert etags[-1] == etag_of(published.read_bytes())
    assert etags[0] == etags[1]
    assert len(set(etags)) == 3


def test_a_withdrawn_month_is_denied_again(
    tlc: Simulator, client: httpx.Client, content: bytes
) -> None:
    tlc.withdraw("green", MONTH)
    assert client.get(PATH).status_code == 403
    tlc.withdraw("green", MONTH)  # may be called twice


def test_a_reissue_replaces_the_file_atomically(tlc: Simulator, content: bytes) -> None:
    seen: list[bool] = []

    def read_repeatedly(until: threading.Event) -> None:
        with httpx.Client() as own:
            while not until.is_set() or not seen:
                response = own.get(tlc.url + PATH)
                seen.append(response.headers["ETag"] == etag_of(response.content))

    done = threading.Event()
    reader = threading.Thread(target=read_repeatedly, args=(done,))
    reader.start()
    for seed in range(10):
        tlc.publish("green", MONTH, rows=500, seed=seed)
    done.set()
    reader.join()
    assert all(seen)


def test_publishing_leaves_no_other_file(tlc: Simulator, content: bytes) -> None:
    folder = tlc.publish("green", MONTH, rows=5).parent
    with pytest.raises(ValueError, match="must not be negative"):
        tlc.publish("green", MONTH, rows=-5)
    assert [path.name for path in folder.iterdir()] == [PATH.rpartition("/")[2]]


def test_requests_are_logged_with_their_headers(
    tlc: Simulator, client: httpx.Client, content: bytes
) -> None:
    client.head(PATH)
    client.get(PATH, headers={"Range": "bytes=0-9", "If-Range": etag_of(content)})
    client.get(PATH, headers={"If-None-Match": etag_of(content)})
    client.get("/trip-data/nothing.parquet?x=1")
    seen = [(r.method, r.path, r.range, r.if_none_match, r.status) for r in tlc.requests]
    assert seen == [
        ("HEAD", PATH, None, None, 200),
        ("GET", PATH, "bytes=0-9", None, 206),
        ("GET", PATH, None, etag_of(content), 304),
        ("GET", "/trip-data/nothing.parquet", None, None, 403),
    ]
    assert tlc.requests[1].if_range == etag_of(content)
    listed = client.get("/_requests").json()
    assert [(r["method"], r["range"], r["status"]) for r in listed] == [
        ("HEAD", None, 200), ("GET", "bytes=0-9", 206), ("GET", None, 304), ("GET", None, 403),
    ]  # fmt: skip
    assert client.delete("/_requests").json() == []
    assert tlc.requests == ()


def test_it_listens_on_loopback_only(tlc: Simulator) -> None:
    assert tlc.url.startswith("http://127.0.0.1:")


def test_a_stopped_simulator_does_not_answer(tmp_path: Path) -> None:
    tlc = Simulator(tmp_path)
    with httpx.Client() as kept_alive:
        assert kept_alive.get(tlc.url + PATH).status_code == 403
        tlc.stop()
        with pytest.raises(httpx.TransportError):
            kept_alive.get(tlc.url + PATH)
    with pytest.raises(httpx.ConnectError):
        httpx.get(tlc.url + PATH)
    tlc.stop()


def test_a_port_is_free_again_after_stopping(tmp_path: Path) -> None:
    first = Simulator(tmp_path)
    port = int(first.url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"):
        Simulator(tmp_path, port)
    first.stop()
    with Simulator(tmp_path, port) as second:
        assert httpx.get(second.url + PATH).status_code == 403


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_files_cannot_be_changed_over_http(
    client: httpx.Client, content: bytes, method: str
) -> None:
    assert client.request(method, PATH, content=b"x").status_code == 405
    assert client.get(PATH).content == content


def test_it_announces_itself_in_every_response(client: httpx.Client, content: bytes) -> None:
    responses = [
        client.get(PATH),
        client.head(PATH),
        client.get(PATH, headers={"Range": "bytes=9-"}),
        client.get(PATH, headers={"Range": f"bytes={len(content)}-"}),
        client.get(PATH, headers={"If-None-Match": etag_of(content)}),
        client.get("/absent"),
        client.get("/_faults"),
        client.post("/_faults", content=b"{}"),
        client.delete("/_requests"),
        client.put(PATH),
    ]
    assert [each.status_code for each in responses] == [
        200, 200, 206, 416, 304, 403, 200, 400, 200, 501
    ]  # fmt: skip
    assert {each.headers.get("X-Taxi-Assets-Simulator") for each in responses} == {"1"}
