"""Downloads of a mirror's CSV months."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from taxi_assets.datasets.formats import FileFormat
from taxi_assets.datasets.month import Month
from taxi_assets.datasets.origin import Origin
from taxi_assets.errors import CorruptDownload, MonthNotPublished
from taxi_assets.tlc import Download, TlcClient
from taxi_assets.tlc.redirects import RedirectRefused, Redirects
from taxi_assets_tests.tlc.site import Site

OCTOBER = Month(2020, 10)
PATH = "/green/green_tripdata_2020-10.csv.gz"
# Blank lines are no rows, and the last line need not end.
LINES = b"VendorID,fare_amount\r\n\r\n" + b"2,5.5\r\n" * 3_000 + b"\r\n1,"


@pytest.fixture
def mirror(site: Site) -> Iterator[TlcClient]:
    with TlcClient(site.url, attempts=1, file_format=FileFormat.CSV_GZ) as client:
        yield client


def test_a_month_is_downloaded_as_it_is_and_its_rows_are_counted(
    site: Site, mirror: TlcClient, tmp_path: Path
) -> None:
    body = gzip.compress(LINES, mtime=0)
    site.publish(PATH, body)
    download = mirror.download_month("green", OCTOBER, tmp_path)
    assert isinstance(download, Download)
    assert download.path.name == "green_tripdata_2020-10.csv.gz"
    assert download.path.read_bytes() == body
    assert download.rows == 3_001
    assert download.published.origin is Origin.CSV_MIRROR


def test_a_month_is_found_by_its_address(site: Site, mirror: TlcClient) -> None:
    site.publish(PATH, gzip.compress(LINES, mtime=0))
    assert mirror.month_url("green", OCTOBER) == site.url + PATH
    assert mirror.published("green", OCTOBER) is not None
    assert mirror.published("fhv", OCTOBER) is None


def test_a_month_that_the_mirror_does_not_have_is_named_with_the_setting(
    mirror: TlcClient, tmp_path: Path
) -> None:
    with pytest.raises(MonthNotPublished, match=r"green 2020-10 .*TAXI_SOURCE_FORMAT"):
        mirror.download_month("green", OCTOBER, tmp_path)


def test_a_file_that_is_not_compressed_is_counted_too(site: Site, tmp_path: Path) -> None:
    site.publish(PATH.removesuffix(".gz"), LINES)
    with TlcClient(site.url, attempts=1, file_format=FileFormat.CSV) as client:
        download = client.download_month("green", OCTOBER, tmp_path)
    assert isinstance(download, Download)
    assert download.rows == 3_001


_WHOLE = gzip.compress(LINES, mtime=0)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (_WHOLE[:40], "not a complete gzip file"),
        (_WHOLE[:-4], "not a complete gzip file"),
        (_WHOLE[:-8] + bytes(8), "CRC check failed"),
        (LINES, "not a complete gzip file"),
        (gzip.compress(b"", mtime=0), "no header"),
        (gzip.compress(b"a" * 3_000_000, mtime=0), "a line of more than"),
        (b"<!DOCTYPE html><html></html>", "HTML page"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS pointer"),
    ],
)
def test_another_file_is_refused_for_what_it_is(
    site: Site, mirror: TlcClient, tmp_path: Path, body: bytes, reason: str
) -> None:
    site.publish(PATH, body)
    with pytest.raises(CorruptDownload, match=reason) as raised:
        mirror.download_month("green", OCTOBER, tmp_path)
    assert str(raised.value).startswith("green 2020-10: ")
    assert list(tmp_path.iterdir()) == []


def test_the_storage_of_a_release_is_followed_and_no_other_host() -> None:
    github = httpx.URL("https://github.com/someone/mirror/releases/download")
    redirects = Redirects(github, [])
    stored = "https://release-assets.githubusercontent.com/1/2?sig=x"
    assert redirects.follow(github, stored).host == "release-assets.githubusercontent.com"
    for elsewhere in ("https://raw.githubusercontent.com/x", "https://example.org/x"):
        with pytest.raises(RedirectRefused):
            redirects.follow(github, elsewhere)
    with pytest.raises(RedirectRefused):
        Redirects(httpx.URL("https://example.org"), []).follow(github, stored)
