"""BigQuery in an asset's hands, as the ``dagster_gcp.BigQueryIOManager`` that Dagster people know.

Belongs here: the configuration of Dagster's own resource, and the warehouse it makes. Does not:
what an annotation asks for (``io_manager``), BigQuery (``bigquery``).
"""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg
import pandas as pd
from dagster_gcp import BigQueryIOManager
from dagster_gcp.bigquery.io_manager import BigQueryWriteMode
from dagster_gcp_pandas import BigQueryPandasTypeHandler
from typing_extensions import override

from taxi_assets.errors import Misconfigured
from taxi_assets.warehouse.bigquery import BigQueryWarehouse
from taxi_assets.warehouse.io_manager import WarehouseIOManager


class BigQueryWarehouseIOManager(BigQueryIOManager):
    """Keeps assets as tables of a BigQuery dataset, a month replaced by one load job.

    Of Dagster's settings ``project``, ``dataset`` (needed) and ``location`` keep their meaning.
    ``write_mode`` does not apply, since a month or a table is always replaced whole; nor do
    ``timeout`` and ``temporary_gcs_bucket``; and ``gcp_credentials`` would put a key into the run
    configuration. Setting one of them raises ``Misconfigured``.

    Dagster's pandas handler is what ``type_handlers`` names, but it does not touch the rows. It
    appends after a DELETE, which is two steps; writes upper-case column names; leaves an empty
    frame unwritten after the DELETE; and reads with ``to_dataframe``, whole, by a window on a
    timestamp instead of ``source_month``.
    """

    scratch: str | None = None
    require_partition_filter: bool = False

    @staticmethod
    @override
    def type_handlers() -> Sequence[BigQueryPandasTypeHandler]:
        """Dagster's pandas handler: a frame is what assets exchange unless they say otherwise."""
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
        """The manager over this dataset; raises ``Misconfigured`` for settings without meaning."""
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
                "replaced whole by load jobs, and credentials come from the environment.",
                "Leave it out.",
            )
        if self.dataset is None:
            raise Misconfigured(
                "The BigQuery IO manager has no dataset.",
                "Name one in TAXI_WAREHOUSE_URL: bigquery://project/dataset.",
            )
        warehouse = BigQueryWarehouse(
            self.project,
            self.dataset,
            location=self.location,
            require_partition_filter=self.require_partition_filter,
        )
        return WarehouseIOManager(warehouse, scratch=self.scratch)
