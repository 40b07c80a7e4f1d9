"""What a message shows of an address."""

from __future__ import annotations

import pytest

from taxi_assets.addresses import shown, text_shown

SECRET = "hush-7f3"
NOT_SHOWN = "(an address that cannot be parsed)"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"https://reader:{SECRET}@h.test:80/p/q?token={SECRET}#{SECRET}", "https://h.test:80/p/q"),
        (f"postgresql://taxi@h/db?sslpassword={SECRET}", "postgresql://h/db"),
        (f"az://trips/prefix?sig={SECRET}", "az://trips/prefix"),
        (f"http://h/trips;jsessionid={SECRET}", "http://h/trips"),
        ("postgresql:///db", "postgresql:///db"),
        ("http://[::1]:80/p", "http://[::1]:80/p"),
        ("gs://Bucket/prefix", "gs://Bucket/prefix"),
        ("file:///home/someone@office/lake", "file:///home/someone@office/lake"),
        ("duckdb:////data/taxi.duckdb", "duckdb:////data/taxi.duckdb"),
    ],
)
def test_scheme_host_port_and_path_are_shown(url: str, expected: str) -> None:
    assert shown(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        SECRET,
        f"host=h user=taxi password={SECRET}",
        f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={SECRET}",
        f"jdbc:postgresql://taxi:{SECRET}@h/db",
        f"http://[::1/{SECRET}",
        f"http://taxi:{SECRET}@h:port/db",
        # Passwords that end the host too early.
        f"postgresql://taxi:12/{SECRET}@h/db",
        f"postgresql://taxi:12?{SECRET}@h/db",
        f"postgresql://taxi:12#{SECRET}@h/db",
        f"postgresql:////taxi:{SECRET}@h/db",
    ],
)
def test_nothing_is_shown_of_what_is_not_clearly_a_url(url: str) -> None:
    assert shown(url) == NOT_SHOWN


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f'Could not connect to "http://me:{SECRET}@h:1/b?x={SECRET}".',
            'Could not connect to "http://h:1/b".',
        ),
        (f"for url: /c/b?sv=1&sig={SECRET} (refused)", "for url: /c/b?… (refused)"),
        (f"Invalid endpoint: me:{SECRET}@host.", f"Invalid endpoint: {NOT_SHOWN}."),
        (f"Invalid header value b'{SECRET}\\nx'", "Invalid header value …"),
        (f"character(s) in header value: 'Key {SECRET}'", "character(s) in header value …"),
        ("(gs://b/p/x.parquet), 12:30, a@b.c?", "(gs://b/p/x.parquet), 12:30, a@b.c?"),
    ],
)
def test_addresses_in_a_text_are_shown_like_others(text: str, expected: str) -> None:
    assert text_shown(text) == expected
