"""Headers that no server should send: each is ignored, or ends in a named error."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from taxi_assets.errors import Misconfigured, SourceUnavailable, TaxiAssetsError
from taxi_assets.http_dates import parse_http_date
from taxi_assets.tlc import Download, Published, TlcClient
from taxi_assets_tests.tlc.conftest import JANUARY, PATH, parquet
from taxi_assets_tests.tlc.site import Fault, Site
from taxi_assets_tests.tlc.wire import Answer, Exchange, Wire, head, whole

FILE = "green_tripdata_2024-01.parquet"


def published(answer: Answer) -> Published | None:
    with Wire(answer) as wire, TlcClient(wire.url, attempts=2, backoff_seconds=0) as client:
        return client.published("green", JANUARY)


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 31 Dec 9999 23:59:59 -1200",
        "Thu, 01 Jan 10000 00:00:00 GMT",
        f"Thu, 01 Jan {'9' * 400} 00:00:00 GMT",
        f"Thu, {'9' * 5000} Jan 2024 00:00:00 GMT",
        "Thu, 01 Jan 2024 99:99:99 GMT",
        "Thu, 01 Jan 2024 00:00:00 +99999999999999999999",
        "x" * 60_000,
        b"\xff\xfe\x80",
        "",
    ],
    ids=lambda date: repr(date)[:40],
)
def test_a_date_that_cannot_be_one_is_ignored(date: str | bytes, tmp_path: Path) -> None:
    answer = whole(parquet(), Last_Modified=date, ETag='"a-1"')
    found = published(answer)
    assert found is not None
    assert found.last_modified is None
    with Wire(answer) as wire, TlcClient(wire.url) as client:
        assert isinstance(client.download_month("green", JANUARY, tmp_path), Download)


def test_the_last_second_of_the_year_9999_is_a_date() -> None:
    assert parse_http_date("Fri, 31 Dec 9999 23:59:59 GMT") == datetime(
        9999, 12, 31, 23, 59, 59, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "etag",
    ['"' + "e" * 4000 + '"', b'"caf\xc3\xa9"', b'"\xe9"', '"tab\tin"', '"' + "e" * 60_000 + '"'],
    ids=lambda etag: repr(etag)[:20],
)
def test_an_etag_that_cannot_be_kept_is_ignored(etag: str | bytes, tmp_path: Path) -> None:
    """An ETag becomes an attribute of the object in the lake and a header of the next request."""
    body = parquet()
    answer = whole(body, ETag=etag, Last_Modified="Thu, 22 Aug 2024 14:20:07 GMT")
    found = published(answer)
    assert found is not None
    assert found.etag is None
    assert found.version == f"2024-08-22T14:20:07+00:00, {len(body)} bytes"
    with Wire(answer) as wire, TlcClient(wire.url) as client:
        download = client.download_month("green", JANUARY, tmp_path)
    assert isinstance(download, Download)
    assert download.published.etag is None


@pytest.mark.parametrize("etag", ["caf\u00e9", "e" * 4000, "two\r\nlines", "", "\u0661"])
def test_a_known_etag_that_cannot_be_sent_is_not(
    site: Site, client: TlcClient, tmp_path: Path, etag: str
) -> None:
    site.publish(PATH, parquet())
    found = client.download_month("green", JANUARY, tmp_path, known_etag=etag)
    assert isinstance(found, Download)
    assert "if-none-match" not in site.seen[0].headers
    site.faults.append(Fault(status=304))  # of nothing that was asked
    with pytest.raises(Misconfigured, match="304"):
        client.download_month("green", JANUARY, tmp_path, known_etag=etag)


@pytest.mark.parametrize("validator", ["caf\u00e9", "e" * 4000, "two\r\nlines", "", ["x"], 7, None])
def test_a_recorded_validator_that_cannot_be_sent_is_not_resumed(
    site: Site, client: TlcClient, tmp_path: Path, validator: object
) -> None:

    site.publish(PATH, parquet())
    (tmp_path / f"{FILE}.part").write_bytes(b"x" * 10)
    (tmp_path / f"{FILE}.part.json").write_text(
        json.dumps({"url": site.url + PATH, "validator": validator})
    )
    assert isinstance(client.download_month("green", JANUARY, tmp_path), Download)
    assert "range" not in site.seen[0].headers


@pytest.mark.parametrize(
    "length", ["-1", "1e3", "9" * 30, "9" * 5000, "0x10", b"\xd9\xa1", "1, 2", "+5"], ids=repr
)
def test_a_length_that_is_none_ends_in_a_named_error(length: str | bytes, tmp_path: Path) -> None:
    answer = whole(parquet(), Content_Length=length)
    with Wire(answer) as wire, TlcClient(wire.url, attempts=2, backoff_seconds=0) as client:
        with pytest.raises(SourceUnavailable, match="green 2024-01") as raised:
            client.published("green", JANUARY)
        with pytest.raises(SourceUnavailable, match="green 2024-01"):
            client.download_month("green", JANUARY, tmp_path)
    assert len(str(raised.value)) < 400
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content_range",
    ["bytes 0-9/", "bytes */*", "pages 1-2/3", "bytes 9-0/10", b"bytes \xd9\xa1-2/3",
     f"bytes 0-9/{'9' * 5000}", "bytes 5-9/10", "x" * 9000, ""],
    ids=lambda value: repr(value)[:24],
)  # fmt: skip
def test_a_partial_response_of_a_nonsensical_range_is_not_kept(
    content_range: str | bytes, tmp_path: Path
) -> None:
    answer = whole(b"x" * 10, "206 Partial Content", Content_Range=content_range, ETag='"a-1"')
    with (
        Wire(answer) as wire,
        TlcClient(wire.url, attempts=2, backoff_seconds=0) as client,
        pytest.raises(SourceUnavailable, match="green 2024-01"),
    ):
        client.download_month("green", JANUARY, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_range_of_an_unknown_total_is_resumed(tmp_path: Path) -> None:
    body = parquet()

    def answer(exchange: Exchange) -> None:
        if exchange.header("Range"):
            ranged = f"bytes 1000-{len(body) - 1}/*"
            exchange.send(head("206 Partial Content", Content_Range=ranged, ETag='"a-1"'))
            exchange.send(body[1000:])
        else:
            exchange.send(head(Content_Length=str(len(body)), ETag='"a-1"'), body[:1000])

    with Wire(answer) as wire, TlcClient(wire.url, backoff_seconds=0) as client:
        download = client.download_month("green", JANUARY, tmp_path)
    assert isinstance(download, Download)
    assert download.path.read_bytes() == body
    assert len(wire.requests) == 2


@pytest.mark.parametrize(
    "retry_after",
    [
        "9" * 5000,
        b"\xd9\xa1\xd9\xa2",
        "-5",
        "1e400",
        "nan",
        "Fri, 31 Dec 9999 23:59:59 -1200",
        "Thu, 01 Jan 99999999999 00:00:00 GMT",
    ],
    ids=lambda value: repr(value)[:24],
)
def test_an_odd_retry_after_is_ignored_or_bounded(retry_after: str | bytes) -> None:
    answer = whole(b"", "503 Busy", Retry_After=retry_after)
    with Wire(answer) as wire, TlcClient(wire.url, attempts=9, backoff_seconds=0) as client:
        assert client.published_many([("green", JANUARY)], deadline_seconds=0.2) == {}
    with (
        Wire(answer) as wire,
        TlcClient(wire.url, attempts=1) as client,
        pytest.raises(SourceUnavailable, match="answered 503 Service Unavailable"),
    ):
        client.published("green", JANUARY)


@pytest.mark.parametrize("status", ["599 Odd", "999 " + "y" * 60_000, "503 " + "Busy?" * 9000])
def test_the_words_of_an_error_are_the_standards(status: str) -> None:
    with pytest.raises(SourceUnavailable) as raised:
        published(whole(b"", status))
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nLocation http://x/?token=5ecret\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: \x00\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffffffff\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 40_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000 + b"\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"\x16\x03\x01\x02\x00",
    ],
    ids=lambda raw: repr(raw)[2:42],
)
def test_what_is_not_http_ends_in_a_named_error(raw: bytes, tmp_path: Path) -> None:
    with (
        Wire(lambda exchange: exchange.send(raw)) as wire,
        TlcClient(wire.url, attempts=2, backoff_seconds=0) as client,
        pytest.raises(TaxiAssetsError, match="green 2024-01") as raised,
    ):
        client.download_month("green", JANUARY, tmp_path)
    message = str(raised.value)
    assert len(message) < 400
    assert "\n" not in message
    assert "5ecret" not in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [400, 405, 501])
@pytest.mark.parametrize("ranged", [True, False])
def test_a_refused_head_is_asked_again_with_a_get_of_one_byte(status: int, ranged: bool) -> None:
    def answer(exchange: Exchange) -> None:
        if exchange.method == "HEAD":
            exchange.send(head(f"{status} No HEAD", Content_Length="0"))
        elif ranged:
            exchange.send(head("206 Partial Content", Content_Range="bytes 0-0/1234", ETag='"a"'))
            exchange.hang()
        else:
            exchange.send(head(Content_Length="1234", ETag='"a"'))
            exchange.hang()

    found = published(answer)
    assert found is not None
    assert (found.size, found.etag) == (1234, '"a"')


def test_the_get_after_a_refused_head_may_say_that_the_month_is_absent() -> None:
    def answer(exchange: Exchange) -> None:
        exchange.send(head("405 No" if exchange.method == "HEAD" else "404 No", Content_Length="0"))

    with Wire(answer) as wire, TlcClient(wire.url) as client:
        assert client.published("green", JANUARY) is None
    assert [re.split(rb"[ \r]", request)[0] for request in wire.requests] == [b"HEAD", b"GET"]
    assert b"\r\nRange: bytes=0-0\r\n" in wire.requests[1]


def test_a_denied_head_is_the_answer_for_an_absent_month() -> None:
    """TLC answers 403 for a month that is not published; asking again would double the requests."""
    with Wire(whole(b"", "403 Forbidden")) as wire, TlcClient(wire.url) as client:
        assert client.published("green", JANUARY) is None
    assert len(wire.requests) == 1
