"""Which failures are retried, how often, and after which waits."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import httpx
import pytest

from taxi_assets.errors import Misconfigured, SourceUnavailable
from taxi_assets.tlc import Download, TlcClient
from taxi_assets.tlc.retries import AttemptFailed, Retries, waiting_seconds
from taxi_assets_tests.tlc.conftest import JANUARY, PATH, parquet
from taxi_assets_tests.tlc.site import Fault, Site


@pytest.mark.parametrize(
    "fault",
    [*(Fault(status=status) for status in (408, 429, 500, 502, 503, 504)), Fault(drop=True)],
    ids=str,
)
def test_a_transient_error_is_retried(
    site: Site, client: TlcClient, tmp_path: Path, fault: Fault
) -> None:
    site.publish(PATH, parquet())
    site.faults.extend([fault] * 4)
    assert isinstance(client.download_month("green", JANUARY, tmp_path), Download)
    assert len(site.seen) == 5


def test_after_the_attempts_the_source_is_unavailable(
    site: Site, client: TlcClient, tmp_path: Path
) -> None:
    site.faults_of[PATH] = Fault(drop=True)
    with pytest.raises(SourceUnavailable, match=r"green 2024-01.*attempts in a row: 5") as raised:
        client.download_month("green", JANUARY, tmp_path)
    assert isinstance(raised.value.__cause__, httpx.RemoteProtocolError)
    assert len(site.seen) == 5
    assert list(tmp_path.iterdir()) == []


def test_a_read_timeout_is_a_transient_error(site: Site, tmp_path: Path) -> None:
    site.publish(PATH, parquet())
    site.faults.append(Fault(hang=True))
    with TlcClient(site.url, backoff_seconds=0, timeout_seconds=0.2) as client:
        assert isinstance(client.download_month("green", JANUARY, tmp_path), Download)


def test_a_refused_connection_is_a_transient_error(tmp_path: Path) -> None:
    with socket.socket() as reserved:  # bound, not listening: connections are refused
        reserved.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        client = TlcClient(url, attempts=2, backoff_seconds=0)
        with client, pytest.raises(SourceUnavailable) as raised:
            client.download_month("green", JANUARY, tmp_path)
    assert isinstance(raised.value.__cause__, httpx.ConnectError)


@pytest.mark.parametrize("status", [400, 401, 405, 410, 451])
def test_any_other_status_is_a_permanent_error(
    site: Site, client: TlcClient, tmp_path: Path, status: int
) -> None:
    site.faults_of[PATH] = Fault(status=status)
    with pytest.raises(Misconfigured, match=f"green 2024-01.*{status}"):
        client.download_month("green", JANUARY, tmp_path)
    assert len(site.seen) == 1


def test_retry_after_is_respected(site: Site, client: TlcClient, tmp_path: Path) -> None:
    site.publish(PATH, parquet())
    site.faults.append(Fault(status=429, headers={"Retry-After": "1"}))
    client.download_month("green", JANUARY, tmp_path)
    first, second = site.seen
    assert 0.9 < second.at - first.at < 5


def test_an_unreadable_retry_after_is_ignored(
    site: Site, client: TlcClient, tmp_path: Path
) -> None:
    site.publish(PATH, parquet())
    site.faults.append(Fault(status=503, headers={"Retry-After": "soon"}))
    site.faults.append(
        Fault(status=503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})  # long ago
    )
    assert isinstance(client.download_month("green", JANUARY, tmp_path), Download)


def test_no_wait_exceeds_the_deadline() -> None:
    deadline = time.monotonic() + 5
    retries = Retries("green 2024-01", attempts=9, backoff_seconds=0, give_up_at=deadline)
    with pytest.raises(SourceUnavailable, match=r"green 2024-01: .*no time is left.*asleep"):
        retries.pause(AttemptFailed("asleep", retry_after=30))
    assert time.monotonic() < deadline


def test_waits_are_jittered_below_a_doubling_bounded_ceiling() -> None:
    for failures, ceiling in [(1, 0.5), (2, 1.0), (5, 8.0), (30, 60.0)]:
        waits = [waiting_seconds(failures, 0.5, None) for _ in range(500)]
        assert 0 <= min(waits) < 0.2 * ceiling
        assert 0.8 * ceiling < max(waits) <= ceiling


def test_retry_after_is_a_bounded_minimum() -> None:
    assert 3 <= waiting_seconds(1, 0.5, 3.0) <= 3.5
    assert waiting_seconds(1, 0.5, 86_400.0) == 60
