"""Cut connections, killed processes and reissues: what is resumed and what starts over."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from taxi_assets.errors import ConcurrentWrite, CorruptDownload, SourceUnavailable
from taxi_assets.tlc import Download, TlcClient, Unchanged
from taxi_assets_tests.tlc.conftest import JANUARY, PATH, parquet
from taxi_assets_tests.tlc.site import LAST_MODIFIED, Fault, Served, Site

CUT = 100_000
DOWNLOAD = """
import pathlib, sys
from taxi_assets.datasets.month import Month
from taxi_assets.tlc import TlcClient
TlcClient(sys.argv[1]).download_month(
    "green", Month(2024, 1), pathlib.Path(sys.argv[2]),
    progress=lambda done, size: print(done, flush=True),
)
"""


class Killed(BaseException):
    """Simulates the end of the process."""


def get(client: TlcClient, folder: Path) -> Download:
    download = client.download_month("green", JANUARY, folder)
    assert isinstance(download, Download)
    return download


def leave_part(client: TlcClient, folder: Path) -> bytes:
    """Kill a download midway and return the part it left."""

    def kill(done: int, size: int | None) -> None:
        raise Killed

    with pytest.raises(Killed):
        client.download_month("green", JANUARY, folder, progress=kill)
    return (folder / "green_tripdata_2024-01.parquet.part").read_bytes()


def test_a_cut_download_is_resumed_where_it_was_cut(
    site: Site, client: TlcClient, tmp_path: Path
) -> None:
    body = parquet()
    served = site.publish(PATH, body)
    site.faults.append(Fault(cut_after=CUT))
    download = get(client, tmp_path)
    assert download.path.read_bytes() == body
    assert download.published.size == len(body)
    assert "range" not in site.seen[0].headers
    assert site.seen[1].headers["range"] == f"bytes={CUT}-"
    assert site.seen[1].headers["if-range"] == served.etag
    assert list(tmp_path.iterdir()) == [download.path]


def test_more_cuts_than_attempts_are_allowed_while_the_file_grows(
    site: Site, tmp_path: Path
) -> None:
    body = parquet(1_000_000)
    site.publish(PATH, body)
    site.faults.extend([Fault(cut_after=(1 << 20) + 1)] * 6)
    with TlcClient(site.url, attempts=2, backoff_seconds=0) as client:
        assert get(client, tmp_path).path.read_bytes() == body
    assert len(site.seen) == 7


def test_a_file_that_is_always_cut_at_the_same_point_fails(site: Site, tmp_path: Path) -> None:
    site.publish(PATH, parquet(300_000)).ranges = False
    site.faults_of[PATH] = Fault(cut_after=(1 << 20) + 1)
    client = TlcClient(site.url, attempts=3, backoff_seconds=0)
    with client, pytest.raises(SourceUnavailable):
        get(client, tmp_path)
    assert len(site.seen) == 3


def test_the_part_of_a_killed_process_is_resumed(
    site: Site, client: TlcClient, tmp_path: Path
) -> None:
    body = parquet()
    site.publish(PATH, body)
    site.faults.append(Fault(cut_after=CUT, hang=True))
    command = [sys.executable, "-c", DOWNLOAD, site.url, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert f"{CUT}\n" in process.stdout  # reads lines until this one
        process.kill()
    download = get(client, tmp_path)
    assert site.seen[-1].headers["range"] == f"bytes={CUT}-"
    assert download.path.read_bytes() == body
    assert download.sha256 == hashlib.sha256(body).hexdigest()
    assert list(tmp_path.iterdir()) == [download.path]


def test_a_reissue_in_between_starts_over(site: Site, client: TlcClient, tmp_path: Path) -> None:
    site.publish(PATH, parquet(seed=1))
    leave_part(client, tmp_path)
    body = parquet(seed=2)
    site.publish(PATH, body)
    assert get(client, tmp_path).path.read_bytes() == body
    assert len(site.requests("GET")) == 2  # the 200 in response to If-Range is the download


def test_a_weak_etag_resumes_by_its_date(site: Site, client: TlcClient, tmp_path: Path) -> None:
    body = parquet()
    site.publish(PATH, body).etag = 'W/"weak"'
    site.faults.append(Fault(cut_after=CUT))
    assert get(client, tmp_path).path.read_bytes() == body
    assert site.seen[1].headers["if-range"] == LAST_MODIFIED


def test_without_any_validator_it_starts_over(
    site: Site, client: TlcClient, tmp_path: Path
) -> None:
    body = parquet()
    site.files[PATH] = Served(body, etag=None, last_modified=None)
    site.faults.append(Fault(cut_after=CUT))
    assert get(client, tmp_path).path.read_bytes() == body
    assert "range" not in site.seen[1].headers


@pytest.mark.parametrize("facts", ["", "[]", '{"url": "http://other/", "validator": "x"}', "{}"])
def test_a_part_of_unknown_origin_is_not_trusted(
    site: Site, client: TlcClient, tmp_path: Path, facts: str
) -> None:
    body = parquet()
    site.publish(PATH, body)
    (tmp_path / "green_tripdata_2024-01.parquet.part").write_bytes(b"x" * 10)
    (tmp_path / "green_tripdata_2024-01.parquet.part.json").write_text(facts)
    assert get(client, tmp_path).path.read_bytes() == body
    assert "range" not in site.seen[0].headers


def test_a_damaged_part_is_downloaded_again(site: Site, client: TlcClient, tmp_path: Path) -> None:
    body = parquet()
    site.publish(PATH, body)
    left = leave_part(client, tmp_path)
    (tmp_path / "green_tripdata_2024-01.parquet.part").write_bytes(b"?" * len(left))
    assert get(client, tmp_path).path.read_bytes() == body
    assert ["range" in seen.headers for seen in site.seen] == [False, True, False]


def test_a_file_that_is_wrong_after_a_full_download_is_corrupt(
    site: Site, client: TlcClient, tmp_path: Path
) -> None:
    site.publish(PATH, parquet()).etag = f'"{"0" * 32}"'
    leave_part(client, tmp_path)
    with pytest.raises(CorruptDownload, match="MD5"):
        get(client, tmp_path)
    assert len(site.seen) == 3
    assert list(tmp_path.iterdir()) == []


def test_a_part_longer_than_the_file_is_dropped(
    site: Site, client: TlcClient, tmp_path: Path
) -> None:
    body = parquet()
    site.publish(PATH, body)
    leave_part(client, tmp_path)
    with (tmp_path / "green_tripdata_2024-01.parquet.part").open("ab") as part:
        part.write(b"x" * len(body))
    assert get(client, tmp_path).path.read_bytes() == body
    assert len(site.seen) == 3  # the killed download, the 416, the whole file


def test_a_range_of_another_version_is_not_appended(
    site: Site, client: TlcClient, tmp_path: Path
) -> None:
    """A server that ignores If-Range sends the tail of whatever it has now."""
    site.publish(
        PATH, parquet(seed=1)
    ).etag = '"first-2"'  # not an MD5, so that no digest is compared
    leave_part(client, tmp_path)
    body = parquet(seed=2)
    # The server treats a Last-Modified that equals If-Range as unchanged.
    site.files[PATH] = Served(body, etag='"second-2"', last_modified='"first-2"')
    assert get(client, tmp_path).path.read_bytes() == body


def test_an_unchanged_file_leaves_no_part(site: Site, client: TlcClient, tmp_path: Path) -> None:
    served = site.publish(PATH, parquet())
    leave_part(client, tmp_path)
    found = client.download_month("green", JANUARY, tmp_path, known_etag=served.etag)
    assert isinstance(found, Unchanged)
    assert list(tmp_path.iterdir()) == []


def test_a_second_download_into_the_same_folder_is_refused(
    site: Site, client: TlcClient, tmp_path: Path
) -> None:
    body = parquet()
    site.publish(PATH, body)
    started, refused = threading.Event(), threading.Event()

    def hold(done: int, size: int | None) -> None:
        started.set()
        assert refused.wait(10)

    def first() -> None:
        client.download_month("green", JANUARY, tmp_path, progress=hold)

    thread = threading.Thread(target=first)
    thread.start()
    try:
        assert started.wait(10)
        with pytest.raises(ConcurrentWrite, match="when that one has finished"):
            get(client, tmp_path)
    finally:
        refused.set()
        thread.join()
    assert (tmp_path / "green_tripdata_2024-01.parquet").read_bytes() == body


def test_processes_that_share_their_parts_resume_them_and_keep_their_own_files(
    site: Site, client: TlcClient, tmp_path: Path
) -> None:
    parts = tmp_path / "parts"
    site.publish(PATH, parquet())
    leave_part(client, parts)
    downloads = []
    for seed in (0, 1):
        body = parquet(seed=seed)
        site.publish(PATH, body)
        got = client.download_month("green", JANUARY, tmp_path / str(seed), parts=parts)
        assert isinstance(got, Download)
        downloads.append((got, body))
    for got, body in downloads:
        assert got.path.read_bytes() == body
        assert got.sha256 == hashlib.sha256(body).hexdigest()
    assert list(parts.iterdir()) == []
