"""What bounds an exchange with a server: size, time, encoding."""

from __future__ import annotations

import gzip
import io
import itertools
import threading
import time
import zipfile
from pathlib import Path

import httpcore
import pytest

from taxi_assets.datasets.month import Month
from taxi_assets.errors import CorruptDownload, SourceUnavailable
from taxi_assets.tlc import Download, TlcClient
from taxi_assets_tests.tlc.conftest import JANUARY, PATH, parquet
from taxi_assets_tests.tlc.site import Fault, Site
from taxi_assets_tests.tlc.wire import Answer, Exchange, Wire, head, whole

YEAR = [("green", Month(2024, month)) for month in range(1, 13)]


def endless(exchange: Exchange) -> None:
    """A body without a length."""
    exchange.send(head(Content_Type="binary/octet-stream"))
    while True:
        exchange.send(b"x" * 65536)


def refusal(answer: Answer, folder: Path) -> str:
    with Wire(answer) as wire, TlcClient(wire.url, backoff_seconds=0) as client:
        with pytest.raises(CorruptDownload, match="green 2024-01") as raised:
            client.download_month("green", JANUARY, folder)
        assert len(wire.requests) == 1
    assert list(folder.iterdir()) == []
    return str(raised.value)


def test_a_body_is_stopped_where_it_exceeds_its_announced_length(tmp_path: Path) -> None:
    def answer(exchange: Exchange) -> None:
        exchange.send(head(Content_Range="bytes 0-99999/100000"))
        while True:
            exchange.send(b"x" * 65536)

    assert "more than 100000 bytes" in refusal(answer, tmp_path)


def test_a_body_without_a_length_is_stopped_at_the_largest_allowed_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taxi_assets.tlc.transfer._MOST_BYTES", 1 << 20)
    assert f"more than {1 << 20} bytes" in refusal(endless, tmp_path)


def test_an_announced_length_that_is_too_large_is_refused_before_the_body(tmp_path: Path) -> None:
    def answer(exchange: Exchange) -> None:
        exchange.send(head(Content_Length=str(1 << 62)))
        exchange.hang()

    assert f"{1 << 62} bytes" in refusal(answer, tmp_path)


def test_a_known_size_limits_the_rest_of_a_resumed_download(tmp_path: Path) -> None:
    body = parquet()

    def answer(exchange: Exchange) -> None:
        if exchange.header("Range") is None:
            exchange.send(head(Content_Length=str(len(body)), ETag='"a-1"'), body[:1000])
        else:
            total = len(body)
            exchange.send(head("206 Partial Content", Content_Range=f"bytes 1000-{total}/{total}"))
            while True:
                exchange.send(body)

    with (
        Wire(answer) as wire,
        TlcClient(wire.url, attempts=2, backoff_seconds=0) as client,
        pytest.raises(CorruptDownload, match=f"green 2024-01: .*more than {len(body)} bytes"),
    ):
        client.download_month("green", JANUARY, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "GZip", "gzip, gzip", "x" * 9000])
def test_an_encoded_body_is_refused(tmp_path: Path, encoding: str) -> None:
    """We ask for identity: the length and the digest of another body are not the file's."""
    bomb = gzip.compress(bytes(5_000_000))
    message = refusal(whole(bomb, Content_Encoding=encoding), tmp_path)
    assert f"encoded as {encoding.lower()[:40]!r}" in message
    assert len(message) < 500


@pytest.mark.parametrize("encoding", ["identity", "Identity"])
def test_a_body_that_says_it_is_not_encoded_is_read(tmp_path: Path, encoding: str) -> None:
    with (
        Wire(whole(parquet(), Content_Encoding=encoding)) as wire,
        TlcClient(wire.url) as client,
    ):
        assert isinstance(client.download_month("green", JANUARY, tmp_path), Download)


def test_an_archive_that_unpacks_to_too_much_is_refused(
    site: Site, client: TlcClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taxi_assets.tlc.verify._MOST_UNPACKED_BYTES", 1_000_000)
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in "abc":
            archive.writestr(name, bytes(400_000))
    site.publish("/misc/taxi_zones.zip", sink.getvalue())
    with pytest.raises(CorruptDownload, match="unpacks to 1200000 bytes"):
        client.download_file("misc/taxi_zones.zip", tmp_path)
    assert list(tmp_path.iterdir()) == []


def drip_headers(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nX-Endless: ")
    exchange.drip(itertools.repeat(b"x"))


def drip_body(exchange: Exchange) -> None:
    exchange.send(head(Content_Length="1000000"))
    exchange.drip(itertools.repeat(b"x"))


def drip_chunk_framing(exchange: Exchange) -> None:
    """No byte of the body ever comes, so no loop over the body can notice."""
    exchange.send(head(Transfer_Encoding="chunked"), b"5;extension=")
    exchange.drip(itertools.repeat(b"x"))


def drip_interim_responses(exchange: Exchange) -> None:
    exchange.drip(itertools.repeat(b"HTTP/1.1 102 Processing\r\n\r\n"))


def drip_redirect_body(exchange: Exchange) -> None:
    exchange.send(head("302 Found", Location="/again", Content_Length="1000000"))
    exchange.drip(itertools.repeat(b"x"))


DRIPS = [drip_headers, drip_body, drip_chunk_framing, drip_interim_responses]


@pytest.mark.parametrize("answer", DRIPS, ids=lambda answer: answer.__name__)
def test_a_server_that_drips_is_a_transient_error(answer: Answer, tmp_path: Path) -> None:
    with (
        Wire(answer) as wire,
        TlcClient(wire.url, attempts=2, backoff_seconds=0, timeout_seconds=0.1) as client,
        pytest.raises(SourceUnavailable, match=r"green 2024-01: .*too slow: [\d,]+ bytes in 0.2 s"),
    ):
        client.download_month("green", JANUARY, tmp_path)
    assert len(wire.requests) == 2


def test_the_body_of_a_redirect_is_not_waited_for(tmp_path: Path) -> None:
    body = parquet()

    def answer(exchange: Exchange) -> None:
        (whole(body) if b" /again " in exchange.request else drip_redirect_body)(exchange)

    with Wire(answer) as wire, TlcClient(wire.url, attempts=1) as client:
        assert isinstance(client.download_month("green", JANUARY, tmp_path), Download)


def test_a_download_that_was_cut_for_its_rate_is_resumed(tmp_path: Path) -> None:
    body = parquet()
    calls = itertools.count()

    def answer(exchange: Exchange) -> None:
        wanted = exchange.header("Range")
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        total = len(body)
        ranged = {"Content_Range": f"bytes {start}-{total - 1}/{total}"} if wanted else {}
        status = "206 Partial Content" if wanted else "200 OK"
        exchange.send(head(status, ETag='"a-1"', Content_Length=str(total - start), **ranged))
        if next(calls) == 0:
            exchange.send(body[:1000])
            exchange.drip(body[at : at + 1] for at in range(1000, total))
        exchange.send(body[start:])

    with (
        Wire(answer) as wire,
        TlcClient(wire.url, attempts=2, backoff_seconds=0, timeout_seconds=0.1) as client,
    ):
        download = client.download_month("green", JANUARY, tmp_path)
    assert isinstance(download, Download)
    assert download.path.read_bytes() == body
    assert b"\r\nRange: bytes=1" in wire.requests[1]


def test_a_slow_connection_that_keeps_the_rate_is_read_to_the_end(tmp_path: Path) -> None:
    body = parquet()  # 160 KB, in four windows

    def answer(exchange: Exchange) -> None:
        exchange.send(head(Content_Length=str(len(body))))
        exchange.drip(body[at : at + 4000] for at in range(0, len(body), 4000))

    with (
        Wire(answer) as wire,
        TlcClient(wire.url, attempts=1, timeout_seconds=0.1) as client,
    ):
        assert isinstance(client.download_month("green", JANUARY, tmp_path), Download)


@pytest.mark.parametrize("answer", [*DRIPS[:1], DRIPS[3], Exchange.hang])
def test_the_threads_of_many_requests_end_with_the_deadline(answer: Answer) -> None:
    before = set(threading.enumerate())
    with Wire(answer) as wire, TlcClient(wire.url, timeout_seconds=30) as client:
        assert client.published_many(YEAR, concurrency=4, deadline_seconds=0.3) == {}
        asking = {
            thread
            for thread in set(threading.enumerate()) - before
            if thread.name.startswith("tlc")
        }
        for thread in asking:
            thread.join(5)  # the server goes on for as long as it is open
        assert not any(thread.is_alive() for thread in asking)


def test_every_address_of_a_host_shares_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def connect(self: object, address: str, port: int, timeout: float, *rest: object) -> None:
        tried.append(timeout)
        time.sleep(0.06)
        raise httpcore.ConnectTimeout(address)

    monkeypatch.setattr("httpcore.SyncBackend.connect_tcp", connect)
    monkeypatch.setattr(
        "taxi_assets.tlc.connections._resolved", lambda host, port: ["192.0.2.1"] * 50
    )
    with TlcClient("http://127.0.0.1:9", timeout_seconds=9) as client:
        assert client.published_many(YEAR[:1], deadline_seconds=0.2) == {}
    assert len(tried) < 10
    assert all(timeout <= 0.2 for timeout in tried)


def test_a_head_that_hangs_does_not_outlast_its_attempts(site: Site) -> None:
    site.faults_of[PATH] = Fault(trickle=True)
    with (
        TlcClient(site.url, attempts=2, backoff_seconds=0, timeout_seconds=0.1) as client,
        pytest.raises(SourceUnavailable, match="too slow"),
    ):
        client.published("green", JANUARY)
