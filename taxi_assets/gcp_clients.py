"""Dagster's resources for Cloud Storage and BigQuery, with the credentials of ``taxi_assets.gcp``.

https://docs.dagster.io/integrations/libraries/gcp. The lake and the warehouse use them, and so can
any asset that names a parameter ``gcs`` or ``bigquery``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from dagster_gcp import BigQueryResource, GCSResource
from google.cloud import bigquery, storage
from typing_extensions import override

from taxi_assets import gcp
from taxi_assets.errors import Misconfigured

__all__ = ["GoogleBigQuery", "GoogleStorage"]


class GoogleStorage(GCSResource):
    """Dagster's client of Cloud Storage.

    Without ``project``, requests are made for that of the environment.
    """

    @override
    def get_client(self) -> storage.Client:
        return storage.Client(project=self.project or gcp.project(), credentials=gcp.credentials())


class GoogleBigQuery(BigQueryResource):
    """Dagster's client of BigQuery.

    ``gcp_credentials``, a key in the run configuration, must not be set: raises ``Misconfigured``.
    """

    @override
    @contextmanager
    def get_client(self) -> Iterator[bigquery.Client]:
        if self.gcp_credentials is not None:
            raise Misconfigured(
                "gcp_credentials of BigQuery must not be set: credentials come from the "
                "environment.",
                "Remove it.",
            )
        with closing(
            bigquery.Client(
                project=self.project or gcp.project(),
                location=self.location,
                credentials=gcp.credentials(),
            )
        ) as client:
            yield client
