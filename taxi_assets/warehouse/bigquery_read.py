"""Read rows from BigQuery as Arrow batches, through the Storage Read API.

It scans only the requested columns and months, and runs no query.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import google.auth.credentials
import grpc  # type: ignore[import-untyped]  # ships no types
import pyarrow as pa
from google.cloud import bigquery
from google.cloud.bigquery_storage_v1 import types
from google.cloud.bigquery_storage_v1.services.big_query_read import BigQueryReadClient
from google.cloud.bigquery_storage_v1.services.big_query_read.transports import (
    BigQueryReadGrpcTransport,
)

from taxi_assets.datasets.month import Month
from taxi_assets.retry_policy import SILENCE_SECONDS, Attempts
from taxi_assets.services import named_errors
from taxi_assets.warehouse.bigquery_errors import BIGQUERY
from taxi_assets.warehouse.bigquery_requests import RETRY
from taxi_assets.warehouse.tables import SOURCE_MONTH

__all__ = ["batches", "month_filter", "read_client"]

_EMULATOR = "BIGQUERY_EMULATOR_GRPC"  # host:port


def read_client(credentials: google.auth.credentials.Credentials | None) -> BigQueryReadClient:
    """Google's client; without TLS if ``BIGQUERY_EMULATOR_GRPC`` is set."""
    emulator = os.environ.get(_EMULATOR)
    if not emulator:
        return BigQueryReadClient(credentials=credentials)
    # Google's own channel has no message size limit either; gRPC's default is 4 MiB.
    unlimited = [("grpc.max_receive_message_length", -1)]
    channel = grpc.insecure_channel(emulator, options=unlimited)
    transport = BigQueryReadGrpcTransport(channel=channel)
    return BigQueryReadClient(transport=transport)


def month_filter(months: Sequence[Month] | None) -> str:
    """An SQL condition on ``source_month``; true for every month if ``months`` is ``None``.

    It always names the partitioning column, for tables that require a partition filter.
    """
    if months is None:
        return f"{SOURCE_MONTH} >= DATE '0001-01-01'"
    days = ", ".join(f"DATE '{month.first_day}'" for month in months)
    return f"{SOURCE_MONTH} IN ({days})"


def batches(
    client: BigQueryReadClient, table: bigquery.Table, schema: pa.Schema, condition: str
) -> Iterator[pa.RecordBatch]:
    """Stream the matching rows, one batch in memory at a time.

    A session has one stream and is a consistent snapshot. The service chooses the order of columns.
    """
    doing = f"Reading {table.dataset_id}.{table.table_id}"
    with named_errors(BIGQUERY, doing):
        session = RETRY(client.create_read_session)(
            parent=f"projects/{table.project}",
            read_session=types.ReadSession(
                table=table.reference.to_bqstorage(),
                data_format=types.DataFormat.ARROW,
                read_options=types.ReadSession.TableReadOptions(
                    selected_fields=schema.names, row_restriction=condition
                ),
            ),
            max_stream_count=1,
            retry=None,
            timeout=SILENCE_SECONDS,
        )
        sent = pa.ipc.read_schema(pa.py_buffer(session.arrow_schema.serialized_schema))
        for stream in session.streams:
            for response in _responses(client, stream.name):
                rows = pa.py_buffer(response.arrow_record_batch.serialized_record_batch)
                yield pa.ipc.read_record_batch(rows, sent).select(schema.names).cast(schema)


def _responses(client: BigQueryReadClient, stream: str) -> Iterator[types.ReadRowsResponse]:
    """What a stream sends; after a transient failure, on from the row after the last one.

    gRPC limits a call's whole duration, so a long one is cut and continued, too. Only calls that
    bring no row count as failed.
    """
    offset, attempts = 0, Attempts()
    while True:
        try:
            for response in client.read_rows(
                read_stream=stream, offset=offset, retry=None, timeout=SILENCE_SECONDS
            ):
                offset += response.row_count
                yield response
                attempts = Attempts()
            return
        except BIGQUERY.raises as error:
            if not (BIGQUERY.is_transient(error) and attempts.again()):
                raise
