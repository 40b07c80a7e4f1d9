"""A download that is not the published file is named for what it is and deleted."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from taxi_assets.errors import CorruptDownload
from taxi_assets.tlc import Download, TlcClient
from taxi_assets_tests.tlc.conftest import JANUARY, PATH, parquet
from taxi_assets_tests.tlc.site import ACCESS_DENIED, Site


def refused(client: TlcClient, folder: Path) -> str:
    """The error of a download of January; an earlier file beside it must survive."""
    earlier = folder / "green_tripdata_2024-01.parquet"
    earlier.write_bytes(b"earlier")
    with pytest.raises(CorruptDownload) as raised:
        client.download_month("green", JANUARY, folder)
    assert list(folder.iterdir()) == [earlier]
    assert earlier.read_bytes() == b"earlier"
    message = str(raised.value)
    assert message.startswith("green 2024-01: ")
    return message


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("green_tripdata_2022-01.lfs-pointer.parquet", "Git LFS pointer"),
        ("green_tripdata_2025-02.truncated.parquet", "it is truncated"),
        ("yellow_tripdata_2024-01.accessdenied.parquet", "S3's code AccessDenied"),
    ],
)
def test_real_bad_files_are_recognized(
    site: Site, client: TlcClient, tmp_path: Path, real_tlc: Path, name: str, reason: str
) -> None:
    site.publish(PATH, (real_tlc / "broken" / name).read_bytes())
    assert reason in refused(client, tmp_path)
    assert len(site.seen) == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "it is empty"),
        (b"\xef\xbb\xbf\r\n<!DOCTYPE HTML><title>Log in</title>", "an HTML page"),
        (b"<html><body>", "an HTML page"),
        (ACCESS_DENIED, "S3's code AccessDenied"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
        (b"a,b\n1,2\n", "not with Parquet's PAR1"),
        (b"PAR1", "footer cannot be read"),
        (parquet()[:-1], "it is truncated"),
        (b"PAR1" + b"\0" * 500 + b"PAR1", "footer cannot be read"),
        (gzip.compress(parquet()), "not with Parquet's PAR1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_files_are_recognized(
    site: Site, client: TlcClient, tmp_path: Path, body: bytes, reason: str
) -> None:
    site.publish(PATH, body)
    assert reason in refused(client, tmp_path)


def test_more_bytes_than_announced_are_refused(
    site: Site, client: TlcClient, tmp_path: Path
) -> None:
    body = parquet()
    site.publish(PATH, body).headers["Content-Range"] = "bytes 0-9/10"
    assert "it has more than 10 bytes" in refused(client, tmp_path)


def test_a_changed_byte_does_not_match_the_etag(
    site: Site, client: TlcClient, tmp_path: Path
) -> None:
    body = bytearray(parquet())
    etag = site.publish(PATH, bytes(body)).etag
    body[1000] ^= 1
    site.publish(PATH, bytes(body)).etag = etag
    assert "its MD5 is" in refused(client, tmp_path)


@pytest.mark.parametrize("etag", [f'"{"0" * 32}-3"', f'W/"{"0" * 32}"', '"65fa-1a2b"', None])
def test_an_etag_that_is_not_an_md5_is_not_compared(
    site: Site, client: TlcClient, tmp_path: Path, etag: str | None
) -> None:
    site.publish(PATH, parquet()).etag = etag
    assert isinstance(client.download_month("green", JANUARY, tmp_path), Download)


def test_the_etag_of_a_kms_object_is_not_compared(
    site: Site, client: TlcClient, tmp_path: Path
) -> None:
    served = site.publish(PATH, parquet())
    served.etag = f'"{"0" * 32}"'
    served.headers["x-amz-server-side-encryption"] = "aws:kms"
    assert isinstance(client.download_month("green", JANUARY, tmp_path), Download)


def test_a_month_without_trips_is_valid(site: Site, client: TlcClient, tmp_path: Path) -> None:
    site.publish(PATH, parquet(rows=0))
    download = client.download_month("green", JANUARY, tmp_path)
    assert isinstance(download, Download)
    assert download.rows == 0


def test_a_damaged_archive_is_refused(site: Site, client: TlcClient, tmp_path: Path) -> None:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("taxi_zones.dbf", b"zones" * 100)
    whole = sink.getvalue()
    for damaged, reason in [
        (whole[:-30], "not a complete zip"),
        (whole.replace(b"zoneszones", b"zonesZONES", 1), "taxi_zones.dbf in the zip"),
    ]:
        site.publish("/misc/taxi_zones.zip", damaged)
        with pytest.raises(CorruptDownload, match=reason):
            client.download_file("misc/taxi_zones.zip", tmp_path)
        assert list(tmp_path.iterdir()) == []


def test_a_page_instead_of_the_lookup_is_refused(
    site: Site, client: TlcClient, tmp_path: Path
) -> None:
    site.publish("/misc/taxi_zone_lookup.csv", b"<html>Sign in</html>")
    with pytest.raises(CorruptDownload, match=r"misc/taxi_zone_lookup\.csv: .*HTML page"):
        client.download_file("misc/taxi_zone_lookup.csv", tmp_path)
