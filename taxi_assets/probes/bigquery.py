"""Probe what a BigQuery dataset must be like before its first table is made."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from google.api_core.exceptions import Forbidden, NotFound
from google.cloud import bigquery, storage

from taxi_assets import gcp
from taxi_assets.addresses import WarehouseAddress
from taxi_assets.errors import Misconfigured
from taxi_assets.lake.gcs_errors import GCS, NO_BUCKET
from taxi_assets.probes.probe import Probe
from taxi_assets.services import ErrorDetails, cause_shown, named_errors
from taxi_assets.warehouse.bigquery_errors import BIGQUERY
from taxi_assets.warehouse.bigquery_requests import REQUEST

__all__ = ["BigQueryProbes", "loads_from"]

_DATASET: Final = "warehouse: dataset"
# Of the multi-region EU; London and Zurich are not in it.
_NOT_IN_EU: Final = ("EUROPE-WEST2", "EUROPE-WEST6")


def loads_from(bucket: str, location_type: str, dataset: str) -> bool:
    """Whether BigQuery loads from a bucket's location into a dataset's; upper or lower case.

    https://cloud.google.com/bigquery/docs/locations#data-locations: the US multi-region loads from
    anywhere, the EU multi-region from locations within it, a region from itself. Of a dual-region
    only its metadata tells the regions, so that is left to the load itself.
    """
    bucket, dataset = bucket.upper(), dataset.upper()
    if dataset in (bucket, "US") or location_type == "dual-region":
        return True
    return dataset == "EU" and bucket.startswith("EUROPE-") and bucket not in _NOT_IN_EU


class BigQueryProbes:
    """The probes of a dataset; ``bucket`` is that of a lake on Cloud Storage."""

    def __init__(self, address: WarehouseAddress, bucket: str | None) -> None:
        self._project = address.project
        self._id = bigquery.DatasetReference(address.project, address.dataset)
        self._bucket = bucket

    @cached_property
    def _dataset(self) -> bigquery.Dataset:
        with named_errors(BIGQUERY, f"Reading dataset {self._id.path}"):
            client = bigquery.Client(project=self._project, credentials=gcp.credentials())
            return client.get_dataset(self._id, **REQUEST)

    def probes(self) -> list[Probe]:
        """All of them, in order."""
        probes = [
            Probe(_DATASET, lambda: f"in {self._dataset.location}"),
            Probe("warehouse: no default expiration", self._expiration, (_DATASET,)),
        ]
        if self._bucket:
            probes.append(Probe("warehouse: location of the bucket", self._location, (_DATASET,)))
        return probes

    def _expiration(self) -> str:
        name = f"{self._id.project}:{self._id.dataset_id}"
        limits = {
            "tables": self._dataset.default_table_expiration_ms,
            "partitions": self._dataset.default_partition_expiration_ms,
        }
        for what, milliseconds in limits.items():
            if milliseconds:
                raise Misconfigured(
                    f"Dataset {name} deletes {what} after {milliseconds / 86_400_000:g} days: new "
                    "tables inherit that, and lose their months.",
                    "Remove it (`bq update --default_table_expiration 0 "
                    f"--default_partition_expiration 0 {name}`); tables that exist keep theirs.",
                )
        return "tables and partitions are kept"

    def _location(self) -> str:
        assert self._bucket is not None
        uri = f"gs://{self._bucket}"
        doing = f"Reading the location of {uri}"
        with named_errors(GCS, doing, uri=uri, bucket=self._bucket):
            client = storage.Client(project=self._project, credentials=gcp.credentials())
            try:
                bucket = client.get_bucket(self._bucket, **REQUEST)
            except Forbidden as error:
                raise Misconfigured(
                    f"The worker's account may not read the bucket {uri} itself, which loading "
                    "from it requires.",
                    f"Grant it storage.buckets.get on {uri}: roles/storage.legacyBucketReader.",
                ) from cause_shown(error)
            except NotFound as error:
                missing = ErrorDetails(error.message, {NO_BUCKET})
                raise GCS.error(missing, doing, bucket=self._bucket) from cause_shown(error)
        dataset = str(self._dataset.location)
        if not loads_from(str(bucket.location), str(bucket.location_type), dataset):
            raise Misconfigured(
                f"{uri} is in {bucket.location} and dataset {self._id.dataset_id} in {dataset}, "
                "and BigQuery loads only within one location.",
                f"Create the dataset in {bucket.location}, or the bucket in {dataset}: neither can "
                "be moved.",
            )
        return f"{bucket.location}, from which a dataset in {dataset} can be loaded"
