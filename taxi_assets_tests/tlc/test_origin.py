"""Where a file is from: TLC, a mirror, or the simulator, by what it says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from taxi_assets.datasets.origin import Origin
from taxi_assets.simulator.faults import Fault, Kind
from taxi_assets.simulator.server import Simulator
from taxi_assets.tlc import DEFAULT_URL, TlcClient
from taxi_assets.tlc.published import described
from taxi_assets.tlc.source import month_of
from taxi_assets_tests.tlc.conftest import JANUARY, PATH, parquet
from taxi_assets_tests.tlc.site import Site


def test_another_site_is_a_mirror(site: Site, client: TlcClient, tmp_path: Path) -> None:
    etag = site.publish(PATH, parquet()).etag
    published = client.published("green", JANUARY)
    assert published is not None
    assert published.origin is Origin.MIRROR
    download = client.download_month("green", JANUARY, tmp_path)
    assert download.published.origin is Origin.MIRROR
    unchanged = client.download_month("green", JANUARY, tmp_path, known_etag=etag)
    assert unchanged.published.origin is Origin.MIRROR


@pytest.mark.parametrize(
    "address", [DEFAULT_URL, f"{DEFAULT_URL}/", f"{DEFAULT_URL.replace('https', 'HTTPS')}:443"]
)
def test_the_default_site_is_tlc(address: str) -> None:
    with TlcClient(address) as client:
        assert described(month_of(client.url, "green", JANUARY), {}).origin is Origin.TLC


def test_the_simulator_is_known_by_its_header(tlc: Simulator, tmp_path: Path) -> None:
    tlc.publish("green", JANUARY, rows=50)
    tlc.publish_zones()
    with TlcClient(tlc.url) as client:
        published = client.published("green", JANUARY)
        assert published is not None
        assert published.origin is Origin.SIMULATOR
        found = [
            client.download_month("green", JANUARY, tmp_path),
            client.download_month("green", JANUARY, tmp_path, known_etag=published.etag),
            client.download_file("misc/taxi_zone_lookup.csv", tmp_path),
        ]
    assert [each.published.origin for each in found] == [Origin.SIMULATOR] * 3


def test_a_resumed_download_from_the_simulator_is_known_as_one(
    tlc: Simulator, tmp_path: Path
) -> None:
    tlc.publish("green", JANUARY, rows=500)
    tlc.faults.add(Fault(Kind.CUT, after_bytes=1000))
    with TlcClient(tlc.url, backoff_seconds=0) as client:
        download = client.download_month("green", JANUARY, tmp_path)
    assert [request.status for request in tlc.requests] == [200, 206]
    assert download.published.origin is Origin.SIMULATOR
