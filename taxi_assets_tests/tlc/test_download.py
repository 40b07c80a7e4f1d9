"""Downloads that succeed, are not needed, or cannot succeed."""

from __future__ import annotations

import hashlib
import re
import resource
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from taxi_assets.datasets.month import Month
from taxi_assets.errors import Misconfigured, MonthNotPublished
from taxi_assets.tlc import Download, TlcClient, Unchanged
from taxi_assets_tests.tlc.conftest import JANUARY, PATH, parquet
from taxi_assets_tests.tlc.site import Fault, Site


def test_a_download_is_the_published_file_and_leaves_no_other(
    site: Site, client: TlcClient, tmp_path: Path
) -> None:
    body = parquet(20_000)
    served = site.publish(PATH, body)
    folder = tmp_path / "new" / "folder"
    download = client.download_month("green", JANUARY, folder)
    assert isinstance(download, Download)
    assert download.path == folder / "green_tripdata_2024-01.parquet"
    assert download.path.read_bytes() == body
    assert (download.rows, download.size) == (20_000, len(body))
    assert download.sha256 == hashlib.sha256(body).hexdigest()
    assert download.published.etag == served.etag
    assert list(folder.iterdir()) == [download.path]
    assert site.seen[0].headers["accept-encoding"] == "identity"


def test_every_real_month_is_downloaded_unchanged(
    site: Site, client: TlcClient, tmp_path: Path, real_tlc: Path
) -> None:
    files = sorted((real_tlc / "trip-data").glob("*.parquet"))
    for file in files:
        site.publish(f"/trip-data/{file.name}", file.read_bytes())
    for file in files:
        dataset, month = file.stem.split("_tripdata_")
        download = client.download_month(dataset, Month.parse(month), tmp_path)
        assert isinstance(download, Download)
        assert download.path.read_bytes() == file.read_bytes()
        assert download.rows == pq.ParquetFile(file).metadata.num_rows


def test_a_file_of_no_month_has_no_rows(
    site: Site, client: TlcClient, tmp_path: Path, real_tlc: Path
) -> None:
    for name in ("taxi_zone_lookup.csv", "taxi_zones.zip"):
        body = (real_tlc / "zones" / name).read_bytes()
        site.publish(f"/misc/{name}", body)
        download = client.download_file(f"misc/{name}", tmp_path)
        assert isinstance(download, Download)
        assert download.rows == (265 if name.endswith(".csv") else None)
        assert (tmp_path / name).read_bytes() == body


def test_a_known_version_is_not_downloaded_again(
    site: Site, client: TlcClient, tmp_path: Path
) -> None:
    served = site.publish(PATH, parquet())
    found = client.download_month("green", JANUARY, tmp_path, known_etag=served.etag)
    assert isinstance(found, Unchanged)
    assert found.published.etag == served.etag
    assert found.published.last_modified is not None
    assert list(tmp_path.iterdir()) == []
    site.publish(PATH, parquet(seed=1))  # a reissue
    found = client.download_month("green", JANUARY, tmp_path, known_etag=served.etag)
    assert isinstance(found, Download)


def test_an_older_file_is_replaced(site: Site, client: TlcClient, tmp_path: Path) -> None:
    body = parquet()
    site.publish(PATH, body)
    file = tmp_path / "green_tripdata_2024-01.parquet"
    file.write_bytes(b"older")
    client.download_month("green", JANUARY, tmp_path)
    assert file.read_bytes() == body


def test_progress_increases_to_the_size(site: Site, client: TlcClient, tmp_path: Path) -> None:
    body = parquet(200_000)
    site.publish(PATH, body)
    calls: list[tuple[int, int | None]] = []
    client.download_month(
        "green", JANUARY, tmp_path, progress=lambda done, size: calls.append((done, size))
    )
    done = [step for step, _ in calls]
    assert len(done) > 1
    assert done == sorted(done)
    assert calls[-1] == (len(body), len(body))


@pytest.mark.parametrize("status", [403, 404])
def test_an_absent_month_is_reported_with_its_address_and_a_remedy(
    site: Site, client: TlcClient, tmp_path: Path, status: int
) -> None:
    site.faults_of[PATH] = Fault(status=status)
    with pytest.raises(MonthNotPublished) as raised:
        client.download_month("green", JANUARY, tmp_path)
    message = str(raised.value)
    for part in ("green 2024-01", site.url + PATH, str(status), "47 to 62 days", "wait for it"):
        assert part in message
    assert len(site.seen) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_redirect_is_followed_within_http(site: Site, client: TlcClient, tmp_path: Path) -> None:
    body = parquet()
    site.publish("/elsewhere.parquet", body)
    site.faults_of[PATH] = Fault(status=302, headers={"Location": "/elsewhere.parquet"})
    download = client.download_month("green", JANUARY, tmp_path)
    assert isinstance(download, Download)
    assert download.path.name == "green_tripdata_2024-01.parquet"
    assert download.path.read_bytes() == body


def test_a_redirect_out_of_http_is_refused(site: Site, client: TlcClient, tmp_path: Path) -> None:
    site.faults_of[PATH] = Fault(status=302, headers={"Location": "file:///etc/hostname"})
    with pytest.raises(Misconfigured, match=r"green 2024-01.*over http or https"):
        client.download_month("green", JANUARY, tmp_path)
    assert len(site.seen) == 1


def test_loopback_is_requested_without_a_proxy(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://192.0.2.1:9")
    site.publish(PATH, parquet())
    with TlcClient(site.url, attempts=1, timeout_seconds=1) as client:
        assert client.published("green", JANUARY) is not None


def test_a_password_in_the_address_is_used_and_not_shown(site: Site, tmp_path: Path) -> None:
    site.publish(PATH, parquet())
    address = site.url.replace("http://", "http://me:hush@")
    with TlcClient(address) as client:
        download = client.download_month("green", JANUARY, tmp_path)
        assert "hush" not in repr(download)
        with pytest.raises(MonthNotPublished) as raised:
            client.download_month("green", JANUARY.plus(1), tmp_path)
    assert "hush" not in str(raised.value)
    assert site.seen[0].headers["authorization"] == "Basic bWU6aHVzaA=="


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ftp://tlc.example",
        "tlc.example",
        "http://",
        "http://tlc:port",
        "http://xn--/",
        "http://tlc.example/caf\x00e",
        "http://[::1",
    ],
)
def test_an_invalid_address_is_refused_at_once(address: str) -> None:
    with pytest.raises(Misconfigured, match="TAXI_TLC_URL"):
        TlcClient(address)


@pytest.mark.parametrize(
    "address",
    [
        "http://me:hush@tlc:port",
        "me:hush@tlc.example",
        "http//me:hush@tlc.example",
        "ftp://me:hush@tlc.example",
        "http://me:1/hush@tlc.example",
        "http://me:1?hush@tlc.example",
        "http://me:1#hush@tlc.example",
        "http://me:hu/sh@tlc.example",
        "http://me:hush@xn--",
        "http://tlc.example/?token=hush",
        "http://tlc.example?token=hush",
        "http://tlc.example/#hush",
        "http://me:hush@tlc.example/files?hush#hush",
    ],
)
def test_an_address_with_a_secret_is_refused_without_it(address: str) -> None:
    with pytest.raises(Misconfigured, match="TAXI_TLC_URL") as raised:
        TlcClient(address)
    assert not re.search("hu/?sh|me:", f"{raised.value} {raised.value.__cause__}")


def test_an_address_with_a_query_is_refused_by_where_it_leads() -> None:
    with pytest.raises(Misconfigured, match=r"a query .* http://tlc\.example/files\."):
        TlcClient("http://me:hush@tlc.example/files?sv=2024&sig=hush")


@pytest.fixture
def small_disk() -> Iterator[None]:
    """A limit of 64 KiB per file: writes fail as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_is_reported_and_no_part_is_kept(
    site: Site, client: TlcClient, tmp_path: Path
) -> None:
    site.publish(PATH, parquet(20_000))
    with pytest.raises(Misconfigured) as raised:
        client.download_month("green", JANUARY, tmp_path)
    message = str(raised.value)
    assert message.startswith("Writing green_tripdata_2024-01.parquet to ")
    assert str(tmp_path) in message
    assert "Free space" in message
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_created_is_named(
    site: Site, client: TlcClient, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        Misconfigured,
        match=r"Writing green_tripdata_2024-01\.parquet to .* failed \(Not a directory",
    ):
        client.download_month("green", JANUARY, tmp_path / "file" / "folder")
    assert site.seen == []
