"""A source that is reachable is told from one that is blocked, empty or away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from taxi_assets.datasets import DATASETS, Month
from taxi_assets.datasets.calendar import month_due
from taxi_assets.probes import source
from taxi_assets.settings import Settings
from taxi_assets.simulator.server import Simulator
from taxi_assets_tests.probes.reports import Report, probed
from taxi_assets_tests.tlc.site import Site

ANSWERS = "source: answers"
KNOWN = Month(2024, 1)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


def due() -> Month:
    return month_due(datetime.now(UTC).date(), 2)


def probe(url: str) -> Report:
    return probed(source.source_probes(Settings.from_env({"TAXI_TLC_URL": url})))


def test_the_newest_month_that_is_due_is_found(tlc: Simulator) -> None:
    for name in DATASETS:
        tlc.publish(name, due(), rows=3)
    report = probe(tlc.url)
    assert report.well
    assert report.verdicts.keys() == {ANSWERS, *(f"source: {name}" for name in DATASETS)}
    assert report.texts[ANSWERS] == tlc.url
    assert report.texts["source: green"].startswith(
        f"{due()} is published at {tlc.url} (simulator)"
    )


def test_a_month_that_is_late_is_no_fault(tlc: Simulator) -> None:
    for name in DATASETS:
        tlc.publish(name, KNOWN, rows=3)
    report = probe(tlc.url)
    assert report.well
    for text in (report.texts[f"source: {name}"] for name in DATASETS):
        assert text.startswith("2024-01 is published")
        assert f"{due()} is not yet" in text


def test_a_site_that_refuses_even_a_known_month_is_blocking(
    tlc: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "DEFAULT_URL", tlc.url)
    tlc.publish("green", KNOWN, rows=3)
    tlc.faults.block()
    text = probe(tlc.url).failed["source: green"]
    assert text.startswith("TLC refuses this machine: it answers 403 even for")
    assert "use another network or a mirror (TAXI_TLC_URL)" in text


def test_a_mirror_that_has_neither_month_is_named(tlc: Simulator) -> None:
    text = probe(tlc.url).failed["source: fhv"]
    assert f"has no file of fhv for {due()} or 2024-01" in text
    assert f"Open {tlc.url}/trip-data/fhv_tripdata_2024-01.parquet in a browser" in text


def test_a_mirror_of_csv_is_asked_for_a_month_that_tlc_published_as_csv(site: Site) -> None:
    for name in DATASETS:
        site.publish(f"/{name}/{name}_tripdata_2020-01.csv.gz", b"")
    env = {"TAXI_TLC_URL": site.url, "TAXI_SOURCE_FORMAT": "csv.gz"}
    report = probed(source.source_probes(Settings.from_env(env)))
    assert report.well
    assert "2020-01 is published" in report.texts["source: fhv"]
    assert "(csv-mirror)" in report.texts["source: fhv"]


def test_a_page_of_a_network_s_login_is_named(tlc: Simulator) -> None:
    tlc.faults.html(times=None)
    assert "Log in to the network" in probe(tlc.url).failed[ANSWERS]


def test_a_site_that_is_away_is_named_once() -> None:
    report = probe("http://127.0.0.1:9")
    assert report.failed.keys() == {ANSWERS}
    assert "TLC is unavailable" in report.failed[ANSWERS]
    assert report.skipped.keys() == {f"source: {name}" for name in DATASETS}
