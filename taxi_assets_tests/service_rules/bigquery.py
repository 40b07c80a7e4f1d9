"""Rules of BigQuery."""

from __future__ import annotations

from typing import Final

from taxi_assets_tests.service_rules import Mutation, ServiceRule

__all__ = ["RULES"]

_DOCS: Final = "https://cloud.google.com/bigquery/docs"
_REST: Final = f"{_DOCS}/reference/rest/v2"
_QUOTAS: Final = "https://cloud.google.com/bigquery/quotas"
_PACKAGE: Final = "taxi_assets/warehouse"
_STAND_IN: Final = "taxi_assets_tests/emulators/bigquery_server"
_JOBS: Final = "taxi_assets_tests/warehouse/test_bigquery_jobs.py"
_TABLES: Final = "taxi_assets_tests/warehouse/test_bigquery_tables.py"
_CONTRACT: Final = "taxi_assets_tests/warehouse/test_warehouse_contract.py"
_FAULTS: Final = "taxi_assets_tests/warehouse/test_bigquery_faults.py"

_DISPOSITION: Final = "write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,"
_LOADS: Final = (
    ServiceRule(
        rule=(
            "A load that names clustering or partitioning must name the table's layout whole: "
            "clustering alone is refused as an incompatible partitioning specification."
        ),
        source=f"{_REST}/Job#jobconfigurationload",
        stand_in=f"{_STAND_IN}/partition_writes.py:_agreed_partitioning",
        mutation=Mutation(
            file=f"{_PACKAGE}/bigquery_schema.py",
            old=_DISPOSITION,
            new=f"{_DISPOSITION} clustering_fields=list(table.cluster_by),",
            test=f"{_TABLES}::test_tables_are_documented_partitioned_and_clustered",
        ),
    ),
    ServiceRule(
        rule="The same holds for a load of a whole table, and for partitioning that contradicts.",
        source=f"{_DOCS}/creating-partitioned-tables",
        stand_in=f"{_STAND_IN}/partition_writes.py:_agreed_partitioning",
        mutation=Mutation(
            file=f"{_PACKAGE}/bigquery_schema.py",
            old=_DISPOSITION,
            new=f"{_DISPOSITION} time_partitioning=bigquery.TimePartitioning(type_='DAY'),",
            test=f"{_CONTRACT}::test_a_table_that_is_not_monthly_is_replaced_completely[bigquery]",
        ),
    ),
    ServiceRule(
        rule=(
            "`schemaUpdateOptions` are allowed with `WRITE_APPEND`, and with `WRITE_TRUNCATE` into "
            "a partition: not for a whole table."
        ),
        source=f"{_REST}/Job#jobconfigurationload",
        stand_in="taxi_assets_tests/emulators/test_bigquery.py:"
        "test_schema_update_options_are_for_appends_and_partitions",
        mutation=Mutation(
            file=f"{_PACKAGE}/bigquery_schema.py",
            old=_DISPOSITION,
            new=f"{_DISPOSITION} schema_update_options=['ALLOW_FIELD_ADDITION'],",
            test=f"{_CONTRACT}::test_a_table_that_is_not_monthly_is_replaced_completely[bigquery]",
        ),
    ),
    ServiceRule(
        rule=(
            "A load into `table$YYYYMM` replaces that partition only; a row of another one fails "
            "it."
        ),
        source=f"{_DOCS}/managing-partitioned-table-data",
        stand_in=f"{_STAND_IN}/partition_writes.py:reject_other_partitions",
        mutation=Mutation(
            file=f"{_PACKAGE}/bigquery_load.py",
            old='f"{table.name}${month.year}{month.month:02d}"',
            new="table.name",
            test=f"{_CONTRACT}::test_an_empty_month_deletes_the_rows_of_that_month_only[bigquery]",
        ),
    ),
    ServiceRule(
        rule=(
            "Parquet types without a conversion are refused (nanoseconds, null, float16, time); "
            "others are of another type than the column (INT96 and times adjusted to UTC are "
            "TIMESTAMP, decimals NUMERIC)."
        ),
        source=f"{_DOCS}/loading-data-cloud-storage-parquet#parquet_conversions",
        stand_in=f"{_STAND_IN}/parquet_types.py:reader",
        mutation=Mutation(
            file=f"{_PACKAGE}/io_manager.py",
            old="stored = _source(self._parquet(cast(rows, table, self.warehouse.geography_text)))",
            new="stored = stored or _source(self._parquet(rows))",
            test="taxi_assets_tests/warehouse/test_users_types.py::"
            "test_a_user_s_types_are_cast_without_changing_a_value[bigquery]",
        ),
    ),
    ServiceRule(
        rule="Text for GEOGRAPHY is GeoJSON, WKT or hexadecimal WKB; another fails the job.",
        source=f"{_DOCS}/geospatial-data",
        stand_in=f"{_STAND_IN}/geography.py:decoded",
        mutation=Mutation(
            file=f"{_PACKAGE}/bigquery.py",
            old="return str(to_geojson(outline))",
            new="return repr(outline)",
            test="taxi_assets_tests/warehouse/test_geography.py::test_bigquery_gets_geography",
        ),
    ),
    ServiceRule(
        rule=(
            "A job names an object, not a generation of it, and reads what is there when it runs: "
            "a generation in the URI fails it."
        ),
        source=f"{_DOCS}/loading-data-cloud-storage-parquet#limitations",
        stand_in=f"{_TABLES}:test_an_object_that_is_replaced_while_it_is_loaded_is_noticed",
        mutation=Mutation(
            file=f"{_PACKAGE}/bigquery_load.py",
            old="require_current(source, self.storage)",
            new="pass",
            test=f"{_TABLES}::test_an_object_that_is_replaced_while_it_is_loaded_is_noticed",
        ),
    ),
    ServiceRule(
        rule=(
            "A job runs in one location, and the dataset, the bucket and the job's reference must "
            "be there."
        ),
        source=f"{_DOCS}/locations#specify_locations",
        stand_in=f"{_JOBS}:test_a_load_whose_answer_was_lost_is_loaded_with_the_month_s_rows",
        mutation=Mutation(
            file=f"{_PACKAGE}/bigquery_jobs.py",
            old='"location": location, ',
            new="",
            test=f"{_JOBS}::test_a_load_whose_answer_was_lost_is_loaded_with_the_month_s_rows",
        ),
    ),
)

_TABLE_RULES: Final = (
    ServiceRule(
        rule=(
            "A new partitioned table inherits the dataset's `defaultPartitionExpirationMs`, any "
            "other its `defaultTableExpirationMs`; a partition expires that long after its month, "
            "so an old one as soon as it is loaded."
        ),
        source=f"{_REST}/datasets#Dataset",
        stand_in=f"{_STAND_IN}/partition_expiration.py:inherited",
        mutation=Mutation(
            file=f"{_PACKAGE}/bigquery_schema.py",
            old="require_kept(client.get_dataset(dataset, **REQUEST))",
            new="del dataset",
            test=f"{_TABLES}::test_tables_that_would_lose_their_months_are_rejected",
        ),
    ),
    ServiceRule(
        rule="A table keeps its own expiration, whatever its dataset's default is later.",
        source=f"{_DOCS}/managing-partitioned-tables#partition-expiration",
        stand_in=f"{_STAND_IN}/partition_expiration.py:expire",
        mutation=Mutation(
            file=f"{_PACKAGE}/bigquery_schema.py",
            old="_check_kept(existing)",
            new="pass",
            test=f"{_TABLES}::test_a_table_that_loses_its_months_is_not_loaded",
        ),
    ),
    ServiceRule(
        rule=(
            "A label's key has 1 to 63 characters, its value at most 63: lowercase letters, "
            "digits, `_` and `-`, and the key begins with a letter."
        ),
        source=f"{_DOCS}/labels-intro#requirements",
        stand_in=f"{_STAND_IN}/limits.py:_check_labels",
        mutation=Mutation(
            file=f"{_PACKAGE}/bigquery_requests.py",
            old='{"managed_by": "taxi_assets"}',
            new='{"Managed-By": "taxi_assets"}',
            test=f"{_TABLES}::test_tables_are_documented_partitioned_and_clustered",
        ),
    ),
    ServiceRule(
        rule="A column's description has at most 1,024 characters.",
        source=f"{_QUOTAS}#table_limits",
        stand_in=f"{_STAND_IN}/limits.py:_check_descriptions",
        mutation=Mutation(
            file=f"{_PACKAGE}/bigquery_schema.py",
            old="\n_DESCRIPTION_LIMIT = 1024",
            new="\n_DESCRIPTION_LIMIT = 2048",
            test=f"{_TABLES}::test_tables_are_documented_partitioned_and_clustered",
        ),
    ),
    ServiceRule(
        rule="A table's description has at most 16,384 characters.",
        source=f"{_QUOTAS}#table_limits",
        stand_in=f"{_STAND_IN}/limits.py:check_table",
        mutation=Mutation(
            file=f"{_PACKAGE}/bigquery_schema.py",
            old="_TABLE_DESCRIPTION_LIMIT = 16384",
            new="_TABLE_DESCRIPTION_LIMIT = 32768",
            test=f"{_TABLES}::"
            "test_long_descriptions_and_many_clustering_columns_are_cut_to_the_limits",
        ),
    ),
    ServiceRule(
        rule="A table is clustered by at most four columns, and by none of floats.",
        source=f"{_DOCS}/creating-clustered-tables#limitations",
        stand_in=f"{_STAND_IN}/limits.py:check_table",
        mutation=Mutation(
            file=f"{_PACKAGE}/bigquery_schema.py",
            old="_CLUSTERING_LIMIT = 4",
            new="_CLUSTERING_LIMIT = 5",
            test=f"{_TABLES}::"
            "test_long_descriptions_and_many_clustering_columns_are_cut_to_the_limits",
        ),
    ),
    ServiceRule(
        rule=(
            "A change of a table with an outdated ETag is refused with 412, also when it was one's "
            "own request without an answer that changed the table."
        ),
        source="https://cloud.google.com/python/docs/reference/bigquery/latest/"
        "google.cloud.bigquery.client.Client",
        stand_in=f"{_TABLES}:test_a_column_that_another_run_adds_first_is_there",
        mutation=Mutation(
            file=f"{_PACKAGE}/bigquery_schema.py",
            old="except PreconditionFailed:",
            new="except NotFound:",
            test=f"{_TABLES}::test_a_column_that_another_run_adds_first_is_there",
        ),
    ),
    ServiceRule(
        rule="A table with `requirePartitionFilter` refuses a query without one, also a count.",
        source=f"{_DOCS}/querying-partitioned-tables#require_a_partition_filter_in_queries",
        stand_in=f"{_TABLES}:test_tables_may_require_a_partition_filter",
        mutation=Mutation(
            file=f"{_PACKAGE}/bigquery.py",
            old="` WHERE {month_filter([month])}",
            new="`",
            test=f"{_TABLES}::test_tables_may_require_a_partition_filter",
        ),
    ),
)

_JOB_RULES: Final = (
    ServiceRule(
        rule="A job's id is used once per project and location, also by a job that failed.",
        source=f"{_DOCS}/running-jobs#generate-jobid",
        stand_in="taxi_assets_tests/emulators/test_bigquery.py:"
        "test_a_job_id_is_used_once_also_by_a_job_that_failed",
        mutation=Mutation(
            file=f"{_PACKAGE}/bigquery_jobs.py",
            old="in itertools.count():",
            new="in [0]:",
            test=f"{_CONTRACT}::test_loading_a_month_twice_changes_nothing[bigquery]",
        ),
    ),
    ServiceRule(
        rule="A job's id has at most 1,024 letters, digits, `_` and `-`: no `$` of a partition.",
        source=f"{_DOCS}/running-jobs#generate-jobid",
        stand_in=f"{_STAND_IN}/limits.py:submit",
        mutation=Mutation(
            file=f"{_PACKAGE}/bigquery_load.py",
            old='name.replace("$", "-")',
            new="name",
            test=f"{_CONTRACT}::test_a_month_is_loaded_into_a_new_table[bigquery]",
        ),
    ),
    ServiceRule(
        rule="A job that exists (409) is sometimes not found at once (404).",
        source="https://github.com/googleapis/python-bigquery/issues/2134",
        stand_in=f"{_JOBS}:test_a_running_job_is_joined_though_it_is_not_found_at_once",
        mutation=Mutation(
            file=f"{_PACKAGE}/bigquery_requests.py",
            old="_sent_again(error) or isinstance(error, NotFound)",
            new="_sent_again(error)",
            test=f"{_JOBS}::test_a_running_job_is_joined_though_it_is_not_found_at_once",
        ),
    ),
    ServiceRule(
        rule="An upload's session may end (404 or 410); the upload begins again.",
        source="https://cloud.google.com/storage/docs/retry-strategy",
        stand_in=f"{_FAULTS}:test_an_upload_whose_session_is_gone_begins_again",
        mutation=Mutation(
            file=f"{_PACKAGE}/bigquery_errors.py",
            old="isdisjoint({404, 410})",
            new="isdisjoint({404})",
            test=f"{_FAULTS}::test_an_upload_whose_session_is_gone_begins_again",
        ),
    ),
    ServiceRule(
        rule="`stopped` means that somebody cancelled the job; it is not to be tried again.",
        source=f"{_DOCS}/error-messages#errortable",
        stand_in=f"{_JOBS}:test_the_error_of_a_failed_job_has_a_remedy",
        mutation=Mutation(
            file=f"{_PACKAGE}/bigquery_errors.py",
            old='{"stopped"}',
            new='{"cancelled"}',
            test=f"{_JOBS}::test_the_error_of_a_failed_job_has_a_remedy",
        ),
    ),
    ServiceRule(
        rule=(
            "`quotaExceeded` is a limit of the longer term, to be tried again after ten minutes or "
            "more: 1,500 loads a table and day, failed ones included. `rateLimitExceeded` passes."
        ),
        source=f"{_DOCS}/troubleshoot-quotas",
        stand_in=f"{_JOBS}:test_the_error_of_a_failed_job_has_a_remedy",
        mutation=Mutation(
            file=f"{_PACKAGE}/bigquery_errors.py",
            old='{"quotaExceeded"}',
            new='{"quota"}',
            test=f"{_JOBS}::test_the_error_of_a_failed_job_has_a_remedy",
        ),
    ),
    ServiceRule(
        rule=(
            "A query that would be billed more than `maximumBytesBilled` fails and costs nothing; "
            "without it, nothing limits a query."
        ),
        source=f"{_DOCS}/best-practices-costs#restrict-bytes-billed",
        stand_in=f"{_JOBS}:test_a_query_whose_answer_was_lost_runs_once_and_its_bytes_are_limited",
        mutation=Mutation(
            file=f"{_PACKAGE}/bigquery_requests.py",
            old="config.maximum_bytes_billed = _BYTES_BILLED",
            new="pass",
            test=f"{_JOBS}::test_a_query_whose_answer_was_lost_runs_once_and_its_bytes_are_limited",
        ),
    ),
    ServiceRule(
        rule="A table has at most 10,000 partitions, and a job changes at most 4,000 of them.",
        source=f"{_QUOTAS}#partitioned_tables",
        stand_in=f"{_STAND_IN}/partitions.py:condition",
        mutation=None,
        reason="a month is a partition, and a load changes one: 10,000 are 833 years.",
    ),
    ServiceRule(
        rule=(
            "Rows that were streamed cannot be changed by DML for up to 90 minutes, and `numRows` "
            "does not count them yet."
        ),
        source=f"{_DOCS}/data-manipulation-language#limitations",
        stand_in="taxi_assets_tests/warehouse/test_bigquery_loaded_months.py:"
        "test_months_loaded_concurrently_are_all_recorded",
        mutation=None,
        reason="no row is streamed: records are inserted by DML, months by load jobs.",
    ),
)

_GRANTED: Final = "test_the_runner_has_every_permission_that_google_documents_for_a_load"
_GRANTS: Final = ServiceRule(
    rule="A load from Cloud Storage needs `storage.buckets.get` on the bucket.",
    source="https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-parquet",
    stand_in=f"taxi_assets_tests/test_grants.py:{_GRANTED}",
    mutation=Mutation(
        file="taxi_assets/grants.py",
        old='("storage.buckets.get",),\n        "a load job',
        new='(),\n        "a load job',
        test=f"taxi_assets_tests/test_grants.py::{_GRANTED}",
    ),
)

RULES: tuple[ServiceRule, ...] = (*_LOADS, _GRANTS, *_TABLE_RULES, *_JOB_RULES)
