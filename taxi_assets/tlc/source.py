"""The addresses of TLC's files, and how messages name them."""

from __future__ import annotations

from dataclasses import dataclass

from taxi_assets.datasets.month import Month

__all__ = ["RemoteFile", "file_of", "month_of"]


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of ``site``; messages name it by ``label`` and, if absent, advise ``remedy``."""

    site: str
    url: str
    label: str
    remedy: str

    @property
    def file_name(self) -> str:
        """The file's name without folders."""
        return self.url.rsplit("/", 1)[-1]


def month_of(site: str, dataset: str, month: Month) -> RemoteFile:
    """The Parquet file of one month of one dataset."""
    return RemoteFile(
        site=site,
        url=f"{site}/trip-data/{dataset}_tripdata_{month}.parquet",
        label=f"{dataset} {month}",
        remedy=(
            "TLC publishes a month 47 to 62 days after it ends; wait for it, or check the "
            "dataset's first month. If TLC's page does list it, TLC refuses this client: it "
            "answers 403 for both."
        ),
    )


def file_of(site: str, path: str) -> RemoteFile:
    """A file that belongs to no month, such as ``misc/taxi_zone_lookup.csv``."""
    path = path.strip("/")
    return RemoteFile(
        site=site,
        url=f"{site}/{path}",
        label=path,
        remedy="Check the path; TLC also answers 403 to a client that it refuses.",
    )
