"""The BigQuery warehouse as a subclass of dagster-gcp's ``BigQueryIOManager``.

https://docs.dagster.io/integrations/libraries/gcp/bigquery. It has the configuration of Dagster's
IO manager and the behavior of ``WarehouseIOManager``.
"""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg
import pandas as pd
from dagster_gcp import BigQueryIOManager, BigQueryResource, GCSResource
from dagster_gcp.bigquery.io_manager import BigQueryWriteMode
from dagster_gcp_pandas import BigQueryPandasTypeHandler
from typing_extensions import override

from taxi_assets.errors import Misconfigured
from taxi_assets.warehouse.bigquery import BigQueryWarehouse
from taxi_assets.warehouse.io_manager import WarehouseIOManager

__all__ = ["BigQueryWarehouseIOManager"]


class BigQueryWarehouseIOManager(BigQueryIOManager):
    """Stores assets as tables of a BigQuery dataset; a month is replaced by one load job.

    Of Dagster's settings, ``project``, ``dataset`` (required) and ``location`` keep their meaning.
    ``write_mode`` does not apply, because a month or a table is always replaced; nor do ``timeout``
    and ``temporary_gcs_bucket``; ``gcp_credentials`` would put a key into the run configuration.
    Setting one of them raises ``Misconfigured``.

    ``type_handlers`` returns Dagster's pandas handler, but it does not process the rows: it
    replaces by DELETE and append, which is not atomic; writes upper-case column names; does not
    write an empty frame after the DELETE; and reads everything with ``to_dataframe``, filtered by
    a timestamp range instead of ``source_month``.

    ``bigquery`` and ``gcs`` are the resources whose clients make the requests.
    """

    bigquery: BigQueryResource
    gcs: GCSResource
    scratch: str | None = None
    require_partition_filter: bool = False

    @staticmethod
    @override
    def type_handlers() -> Sequence[BigQueryPandasTypeHandler]:
        """Dagster's pandas handler."""
        return [BigQueryPandasTypeHandler()]

    @staticmethod
    @override
    def default_load_type() -> type | None:
        """A pandas frame."""
        return pd.DataFrame

    @override
    def create_io_manager(  # type: ignore[override]  # the base promises its own DbIOManager
        self, context: dg.InitResourceContext
    ) -> WarehouseIOManager:
        """The IO manager; raises ``Misconfigured`` for settings that do not apply."""
        unused = {
            "write_mode": BigQueryWriteMode(self.write_mode) is not BigQueryWriteMode.TRUNCATE,
            "timeout": self.timeout is not None,
            "temporary_gcs_bucket": self.temporary_gcs_bucket is not None,
            "gcp_credentials": self.gcp_credentials is not None,
        }
        wrong = [name for name, is_set in unused.items() if is_set]
        if wrong:
            raise Misconfigured(
                f"{', '.join(wrong)} of the BigQuery IO manager must not be set: months are "
                "replaced by load jobs, and credentials come from the environment.",
                "Remove it.",
            )
        if self.dataset is None:
            raise Misconfigured(
                "The BigQuery IO manager has no dataset.",
                "Set it in TAXI_WAREHOUSE_URL: bigquery://project/dataset.",
            )
        warehouse = BigQueryWarehouse(
            self.project,
            self.dataset,
            location=self.location,
            require_partition_filter=self.require_partition_filter,
            bigquery=self.bigquery,
            gcs=self.gcs,
        )
        return WarehouseIOManager(warehouse, scratch=self.scratch)
