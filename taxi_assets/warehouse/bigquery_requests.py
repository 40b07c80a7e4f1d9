"""How requests to BigQuery are made: the retry policy for each, and jobs waited for by polling."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from google.api_core.exceptions import Conflict, NotFound, PreconditionFailed
from google.cloud import bigquery
from google.cloud.bigquery.table import Row

from taxi_assets.google_retries import TIMEOUT, GoogleRetry
from taxi_assets.warehouse.bigquery_errors import BIGQUERY, JobFailed

__all__ = ["LABELS", "REQUEST", "RETRY", "existing_job", "finished", "run_query"]

LABELS: Final = {"managed_by": "taxi_assets"}
"""On every table and job, for the bill by label."""

_BYTES_BILLED: Final = 1 << 30  # of one query: at most a column of a month, 8 bytes a row
_POLL_SECONDS: Final = (0.1, 2.0)  # at first, and at most

_Job = TypeVar("_Job", bigquery.LoadJob, bigquery.QueryJob)


def _sent_again(error: Exception) -> bool:
    """Not after 412: the same request would name the same outdated ETag."""
    return BIGQUERY.is_transient(error) and not isinstance(error, PreconditionFailed)


def _found_again(error: Exception) -> bool:
    """A job that is there (409) is not always found at once (404).

    https://github.com/googleapis/python-bigquery/issues/2134
    """
    return _sent_again(error) or isinstance(error, NotFound)


RETRY: Final = GoogleRetry(predicate=_sent_again)

REQUEST: Final[Mapping[str, Any]] = {"retry": RETRY, "timeout": TIMEOUT}
"""For each method of the client that makes a request."""


def existing_job(client: bigquery.Client, job_id: str, location: str) -> Any:
    """The job of that id, which BigQuery has just said exists."""
    request = {**REQUEST, "retry": GoogleRetry(predicate=_found_again)}
    return client.get_job(job_id, location=location, **request)


def finished(job: _Job) -> _Job:
    """The job once it has ended; raises ``JobFailed``.

    It may take as long as it needs while BigQuery answers. The client's own ``result`` waits for an
    answer without a limit, or for two minutes.
    """
    delay, longest = _POLL_SECONDS
    while not job.done(**REQUEST):
        time.sleep(delay)
        delay = min(longest, 1.5 * delay)
    if job.error_result:
        raise _failure(job.job_id, job.error_result, job.errors or [])
    return job


def _failure(
    job_id: str, result: Mapping[str, Any], errors: Sequence[Mapping[str, Any]]
) -> JobFailed:
    others = [each for each in errors if each != result]
    messages = [str(each.get("message")) for each in (result, *others[:2])]
    return JobFailed("; ".join([*messages, f"job {job_id}"]), str(result.get("reason")))


def run_query(
    client: bigquery.Client, query: str, location: str, config: bigquery.QueryJobConfig
) -> Callable[[], Iterator[Row]]:
    """Run one of the package's own queries to its end; the return reads its rows, if it has any.

    It fails, free of charge, if it would be billed more than 1 GiB
    (https://cloud.google.com/bigquery/docs/best-practices-costs). A statement whose answer is lost
    is run once: its job is found by its id.
    """
    config.maximum_bytes_billed = _BYTES_BILLED
    config.labels = LABELS
    job_id = f"taxi_assets-query-{uuid.uuid4()}"
    try:
        job = client.query(
            query, config, job_id=job_id, location=location, job_retry=None, **REQUEST
        )
    except Conflict:
        job = existing_job(client, job_id, location)
    finished(job)
    return lambda: iter(client.list_rows(job.destination, **REQUEST))
