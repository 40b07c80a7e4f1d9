"""Where redirects may lead, and what is neither sent, logged nor stored on the way."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from taxi_assets.assets.resources import TlcSource
from taxi_assets.errors import Misconfigured, MonthNotPublished, SourceUnavailable
from taxi_assets.tlc import Download, TlcClient
from taxi_assets.tlc.connections import Connections
from taxi_assets.tlc.pace import Pace
from taxi_assets.tlc.redirects import RedirectRefused, Redirects, is_public
from taxi_assets_tests.tlc.conftest import JANUARY, PATH, parquet
from taxi_assets_tests.tlc.site import Fault, Site
from taxi_assets_tests.tlc.wire import Exchange, Wire, head

SECRET = "X-Amz-Signature=5ecret5ecret"


@pytest.fixture
def other() -> Iterator[Site]:
    """Another host: another port is one too."""
    site = Site()
    yield site
    site.close()


def host(site: Site) -> str:
    return site.url.removeprefix("http://")


def redirect(site: Site, location: str, status: int = 302) -> None:
    site.faults_of[PATH] = Fault(status=status, headers={"Location": location})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_on_the_same_host_is_followed(
    site: Site, client: TlcClient, tmp_path: Path, status: int
) -> None:
    body = parquet()
    site.publish("/elsewhere.parquet", body)
    redirect(site, "/elsewhere.parquet", status)
    published = client.published("green", JANUARY)
    assert published is not None
    assert published.url == site.url + PATH
    download = client.download_month("green", JANUARY, tmp_path)
    assert isinstance(download, Download)
    assert download.path.name == "green_tripdata_2024-01.parquet"
    assert download.path.read_bytes() == body


def test_a_redirect_to_another_host_is_refused(
    site: Site, other: Site, client: TlcClient, tmp_path: Path
) -> None:
    other.publish("/file", parquet())
    redirect(site, f"{other.url}/file?{SECRET}#part")
    for ask in (
        lambda: client.published("green", JANUARY),
        lambda: client.download_month("green", JANUARY, tmp_path),
    ):
        with pytest.raises(Misconfigured, match=r"green 2024-01: .*redirects to another") as raised:
            ask()
        assert f"{other.url}/file," in str(raised.value).replace(". ", ", ")
        assert "redirect_hosts" in str(raised.value)
        assert "5ecret" not in str(raised.value)
    assert other.seen == []
    assert list(tmp_path.iterdir()) == []


def test_a_redirect_to_a_host_that_the_source_names_is_followed(
    site: Site, other: Site, tmp_path: Path
) -> None:
    body = parquet()
    other.publish(f"/file?{SECRET}", body)
    redirect(site, f"{other.url}/file?{SECRET}")
    with TlcClient(site.url, redirect_hosts=[host(other)]) as client:
        download = client.download_month("green", JANUARY, tmp_path)
    assert isinstance(download, Download)
    assert download.path.read_bytes() == body
    assert other.seen[0].headers["host"] == host(other)


def test_the_resource_passes_the_hosts_on(site: Site, other: Site) -> None:
    other.publish("/file", parquet())
    redirect(site, f"{other.url}/file")
    with TlcSource(url=site.url, redirect_hosts=[host(other)]).client() as client:
        assert client.published("green", JANUARY) is not None


def test_the_query_of_a_redirect_is_neither_logged_nor_kept(
    site: Site, other: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other.publish(f"/file?{SECRET}", parquet())
    redirect(site, f"{other.url}/file?{SECRET}")
    with (
        caplog.at_level(logging.DEBUG),
        TlcClient(site.url, redirect_hosts=[host(other)], attempts=1) as client,
    ):
        published = client.published("green", JANUARY)
        other.faults.append(Fault(cut_after=1000))
        with pytest.raises(SourceUnavailable) as raised:
            client.download_month("green", JANUARY, tmp_path)
        kept = (tmp_path / "green_tripdata_2024-01.parquet.part.json").read_text()
        download = client.download_month("green", JANUARY, tmp_path)
    assert "HTTP Request" in caplog.text  # httpx does log
    for text in (caplog.text, repr(published), repr(download), str(raised.value), kept):
        assert "5ecret" not in text


def test_credentials_are_sent_to_their_own_host_only(
    site: Site, other: Site, tmp_path: Path
) -> None:
    for each in (site, other):
        each.publish("/file", parquet())
    address = site.url.replace("http://", "http://me:hush@")
    with TlcClient(address, redirect_hosts=[host(other)]) as client:
        redirect(site, "/file")
        client.download_month("green", JANUARY, tmp_path)
        redirect(site, f"{other.url}/file")
        client.download_month("green", JANUARY, tmp_path)
    assert ["authorization" in seen.headers for seen in site.seen] == [True] * 3
    assert ["authorization" in seen.headers for seen in other.seen] == [False]


def test_credentials_in_a_redirect_are_not_used(site: Site, tmp_path: Path) -> None:
    site.publish("/file", parquet())
    redirect(site, site.url.replace("http://", "http://you:hush@") + "/file")
    with TlcClient(site.url) as client:
        client.download_month("green", JANUARY, tmp_path)
    assert ["authorization" in seen.headers for seen in site.seen] == [False, False]


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("file:///etc/hostname", "over http or https"),
        ("ftp://127.0.0.1/file", "over http or https"),
        ("javascript:alert(1)", "over http or https"),
        ("http://[::1", "cannot be read"),
        ("http://tlc:port/", "cannot be read"),
        ("http://127.0.0.1:99999999/", "cannot be read|another host"),
        ("http://xn--/", "cannot be read|another host"),
        ("//other.example/file", "another host, to http://other.example/file"),
        ("https://127.0.0.1/file", "another host"),
        ("http://127.0.0.1/file", "another host"),  # another port
        ("http://169.254.169.254/latest/meta-data/", "another host"),
        ("/" + "x" * 70_000, "cannot be read"),
        ("//other.example/" + "x" * 60_000, "another host"),
    ],
    ids=lambda value: value[:30],
)
def test_a_redirect_that_leads_nowhere_useful_is_refused(
    site: Site, client: TlcClient, tmp_path: Path, location: str, reason: str
) -> None:
    redirect(site, location)
    with pytest.raises(Misconfigured, match=rf"green 2024-01: .*({reason})") as raised:
        client.download_month("green", JANUARY, tmp_path)
    assert len(str(raised.value)) < 600
    assert len(site.seen) == 1


@pytest.mark.parametrize("location", [b"/caf\xc3\xa9", b"/\xff\xfe", b"http://caf\xe9.example/"])
def test_a_redirect_of_other_bytes_ends_in_a_named_error(location: bytes, tmp_path: Path) -> None:
    def answer(exchange: Exchange) -> None:
        exchange.send(head("302 Found", Location=location))

    with (
        Wire(answer) as wire,
        TlcClient(wire.url) as client,
        pytest.raises(Misconfigured, match="redirects"),
    ):
        client.download_month("green", JANUARY, tmp_path)


def test_a_redirect_in_a_circle_is_refused(site: Site, client: TlcClient, tmp_path: Path) -> None:
    redirect(site, PATH)
    with pytest.raises(Misconfigured, match="redirects more than 5 times"):
        client.download_month("green", JANUARY, tmp_path)
    assert len(site.seen) == 6


def test_a_redirect_without_an_address_is_a_permanent_error(
    site: Site, client: TlcClient, tmp_path: Path
) -> None:
    site.faults_of[PATH] = Fault(status=302)
    with pytest.raises(Misconfigured, match="answered 302 Found"):
        client.download_month("green", JANUARY, tmp_path)


def test_https_is_not_left_for_http() -> None:
    redirects = Redirects(httpx.URL("https://tlc.example"), ["cdn.example", "CDN.example:8443"])
    here = httpx.URL("https://tlc.example/a/b")
    with pytest.raises(RedirectRefused, match=r"https to http, to http://tlc\.example/c$"):
        redirects.follow(here, "http://tlc.example/c?secret")
    assert str(redirects.follow(here, "../c?q=1")) == "https://tlc.example/c?q=1"
    assert str(redirects.follow(here, "https://CDN.example:443/c")) == "https://cdn.example/c"
    assert str(redirects.follow(here, "https://cdn.example:8443/")) == "https://cdn.example:8443/"
    plain = Redirects(httpx.URL("http://tlc.example"), [])
    assert (
        plain.follow(httpx.URL("http://tlc.example/a"), "https://tlc.example/a").scheme == "https"
    )


PRIVATE = ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0",
           "100.64.0.1", "::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "::"]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_a_public_source_does_not_lead_into_a_private_network(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """Also not by a name: what counts is what it resolves to, when it is connected to."""
    assert not is_public(address)
    names = {"tlc.example": ["93.184.215.14"], "cdn.example": ["93.184.215.14", address]}
    connected = names_resolve(monkeypatch, names)
    connections = Connections("tlc.example")
    with Pace(9).kept():
        connections.connect_tcp("tlc.example", 443)
        with pytest.raises(RedirectRefused, match=r"cdn\.example, which is in a private network"):
            connections.connect_tcp("cdn.example", 443)
    assert connected == ["93.184.215.14"]


def test_a_private_source_may_lead_to_private_and_public_hosts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = {"mirror": ["10.0.0.1"], "storage": ["10.0.0.2"], "cdn.example": ["93.184.215.14"]}
    connected = names_resolve(monkeypatch, names)
    connections = Connections("mirror")
    with Pace(9).kept():
        for name in names:
            connections.connect_tcp(name, 443)
    assert connected == ["10.0.0.1", "10.0.0.2", "93.184.215.14"]


def names_resolve(monkeypatch: pytest.MonkeyPatch, names: dict[str, list[str]]) -> list[str]:
    """Replace the resolver, which the tests have no network for; returns the connections made."""
    connected: list[str] = []
    monkeypatch.setattr("taxi_assets.tlc.connections._resolved", lambda host, port: names[host])
    monkeypatch.setattr(
        "httpcore.SyncBackend.connect_tcp",
        lambda self, address, *rest: connected.append(address),
    )
    return connected


@pytest.fixture
def proxy(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The site as a proxy: it gets the requests for every host, with the whole address."""
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, site.url.replace("http://", "http://user:hush@"))
    return site


def test_another_host_is_requested_through_the_proxy_of_the_environment(
    proxy: Site, tmp_path: Path
) -> None:
    proxy.publish(f"http://tlc.example{PATH}", parquet())
    with TlcClient("http://tlc.example") as client:
        assert client.published("green", JANUARY) is not None
        assert isinstance(client.download_month("green", JANUARY, tmp_path), Download)
        with pytest.raises(MonthNotPublished):
            client.download_month("green", JANUARY.plus(1), tmp_path)
    assert {seen.headers["host"] for seen in proxy.seen} == {"tlc.example"}
    assert proxy.seen[0].headers["proxy-authorization"] == "Basic dXNlcjpodXNo"


@pytest.mark.parametrize("target", ["127.0.0.1:5432", "10.0.0.1", "169.254.169.254", "localhost"])
def test_a_public_source_behind_a_proxy_does_not_redirect_into_the_network(
    proxy: Site, tmp_path: Path, target: str
) -> None:
    proxy.faults_of[f"http://tlc.example{PATH}"] = Fault(
        status=302, headers={"Location": f"http://{target}/?{SECRET}"}
    )
    with (
        TlcClient("http://tlc.example") as client,
        pytest.raises(Misconfigured, match="redirects to another host") as raised,
    ):
        client.download_month("green", JANUARY, tmp_path)
    assert "5ecret" not in str(raised.value)
    assert len(proxy.seen) == 1


@pytest.mark.parametrize("address", ["socks5://me:hush@proxy", "http://me:hush@proxy:port"])
def test_a_proxy_that_cannot_be_used_is_reported_without_its_address(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, address)
    with pytest.raises(Misconfigured, match=r"proxy for http .*HTTP_PROXY") as raised:
        TlcClient("http://tlc.example")
    assert "hush" not in str(raised.value)
