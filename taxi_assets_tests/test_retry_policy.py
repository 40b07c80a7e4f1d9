"""How often a request is sent again, by a clock of the test, and Google's retries by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests
from google.api_core.exceptions import GoogleAPICallError, ServiceUnavailable, from_http_response

from taxi_assets import retry_policy
from taxi_assets.google_retries import GoogleRetry
from taxi_assets.retry_policy import Attempts, retry_after_seconds


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(retry_policy, "time", clock)
    return clock


def begins_of(clock: Clock, *, lasting: float, retry_after: float | None = None) -> list[float]:
    """When each attempt began, if each fails after ``lasting`` seconds."""
    attempts, begins = Attempts(), [clock.now]
    clock.now += lasting
    while attempts.again(retry_after):
        begins.append(clock.now)
        clock.now += lasting
    return begins


def test_a_request_is_sent_five_times_after_growing_waits(clock: Clock) -> None:
    assert len(begins_of(clock, lasting=0.1)) == 5
    assert all(
        longest / 2 <= wait <= longest
        for wait, longest in zip(clock.waits, (1, 2, 4, 8), strict=True)
    )


def test_a_silent_server_is_reported_within_a_minute(clock: Clock) -> None:
    begins = begins_of(clock, lasting=retry_policy.SILENCE_SECONDS)
    assert len(begins) == 2
    assert clock.now < 60


def test_a_wish_of_the_server_is_obeyed(clock: Clock) -> None:
    begins_of(clock, lasting=0.1, retry_after=12)
    assert clock.waits == [12, 12, 12]


def test_a_wish_that_ends_too_late_ends_the_request_at_once(clock: Clock) -> None:
    assert begins_of(clock, lasting=0.1, retry_after=60) == [0]
    assert clock.now == 0.1


def test_a_long_transfer_that_was_cut_may_begin_again(clock: Clock) -> None:
    assert len(begins_of(clock, lasting=300)) == 5


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("7", 7.0),
        ("-1", None),
        ("Fri, 31 Dec 9999 23:59:59 -1200", None),
    ],
)
def test_seconds_of_a_retry_after(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header) == seconds


def test_the_date_of_a_retry_after() -> None:
    header = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    seconds = retry_after_seconds(header)
    assert seconds is not None
    assert 90 < seconds <= 100


def test_google_s_retry_obeys_the_server_and_raises_its_last_error(clock: Clock) -> None:
    response = requests.Response()
    response.status_code, response.request = 503, requests.Request("GET", "http://x").prepare()
    response.headers["Retry-After"] = "30"
    raised: list[GoogleAPICallError] = []

    def fail() -> None:
        raised.append(from_http_response(response))  # type: ignore[no-untyped-call] # Google
        raise raised[-1]

    with pytest.raises(ServiceUnavailable) as caught:
        GoogleRetry(predicate=lambda error: isinstance(error, ServiceUnavailable))(fail)()
    assert clock.waits == [30]
    assert [caught.value] == raised[1:]


def test_google_s_retry_does_not_repeat_what_its_predicate_refuses(clock: Clock) -> None:
    def fail() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        GoogleRetry(predicate=lambda error: False)(fail)()
    assert clock.waits == []
