"""The addresses of TLC's files, and how messages name them."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from taxi_assets.addresses import shown
from taxi_assets.datasets.formats import FileFormat
from taxi_assets.datasets.month import Month
from taxi_assets.errors import Misconfigured
from taxi_assets.tlc.origin import DEFAULT_URL

__all__ = ["RemoteFile", "file_of", "month_of", "site_of"]


_REMEDY = (
    "TLC publishes a month 47 to 62 days after it ends; wait for it, or check the dataset's first "
    "month. If TLC's page does list it, TLC refuses this client: it answers 403 for both."
)
_CSV_REMEDY = (
    "Check which months the mirror has, and that TAXI_SOURCE_FORMAT is the suffix of their names."
)


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of ``site``; messages name it by ``label`` and, if absent, advise ``remedy``.

    ``file_format`` is that of the site's months.
    """

    site: str
    file_format: FileFormat
    url: str
    label: str
    remedy: str

    @property
    def file_name(self) -> str:
        """The file's name without folders."""
        return self.url.rsplit("/", 1)[-1]


def site_of(url: str) -> httpx.URL:
    """The address of a site; raises ``Misconfigured``, quoting nothing that may be a secret."""
    try:
        site = httpx.URL(url)
        valid = site.scheme in ("http", "https") and bool(site.host)
    except (httpx.InvalidURL, ValueError):  # ValueError: the host's name is no IDNA
        valid = False
    if not valid:
        raise Misconfigured(
            f"TAXI_TLC_URL is not an http or https address: {shown(url)}.",
            f"Set it to one such as {DEFAULT_URL}.",
        )
    if "@" in site.path:
        raise Misconfigured(
            "The user or password in TAXI_TLC_URL has a character that ends the host name.",
            "Write / ? # and @ in them as %2F %3F %23 and %40.",
        )
    if "?" in url or "#" in url:
        # A query may be a credential, which the addresses of the files would carry everywhere.
        raise Misconfigured(
            f"TAXI_TLC_URL has a query or a fragment behind {shown(url)}.",
            "Set it to the address in front of trip-data/ without them.",
        )
    return site


def month_of(
    site: str, dataset: str, month: Month, file_format: FileFormat = FileFormat.PARQUET
) -> RemoteFile:
    """The file of one month of one dataset.

    Mirrors keep CSV in a folder for each dataset, as the releases of
    https://github.com/DataTalksClub/nyc-tlc-data are.
    """
    folder = dataset if file_format.is_csv else "trip-data"
    return RemoteFile(
        site=site,
        file_format=file_format,
        url=f"{site}/{folder}/{dataset}_tripdata_{month}.{file_format}",
        label=f"{dataset} {month}",
        remedy=_CSV_REMEDY if file_format.is_csv else _REMEDY,
    )


def file_of(site: str, path: str, file_format: FileFormat = FileFormat.PARQUET) -> RemoteFile:
    """A file that belongs to no month, such as ``misc/taxi_zone_lookup.csv``."""
    path = path.strip("/")
    return RemoteFile(
        site=site,
        file_format=file_format,
        url=f"{site}/{path}",
        label=path,
        remedy="Check the path; TLC also answers 403 to a client that it refuses.",
    )
