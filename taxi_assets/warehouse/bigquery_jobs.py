"""One load job: named so that a retry finds it, waited for, and told in numbers.

Belongs here: job names, starting or joining a job, what a finished job says. Does not: tables
(``bigquery_schema``), which file goes where (``bigquery``).
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass

from google.api_core.exceptions import Conflict, GoogleAPICallError
from google.cloud import bigquery

from taxi_assets.services import Said
from taxi_assets.warehouse.bigquery_errors import BIGQUERY

Start = Callable[[str], bigquery.LoadJob]


@dataclass(frozen=True, slots=True)
class Content:
    """What makes two loads the same load: where to, what, and in which columns."""

    destination: str
    columns: tuple[str, ...]
    uri: str
    version: str
    sha256: str

    def job_name(self, label: str) -> str:
        """A job id without its number; ``label`` is for people reading the job list."""
        facts = [self.destination, self.columns, self.uri, self.version, self.sha256]
        digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
        return f"taxi_assets-{label}-{digest[:24]}"


def run_job(client: bigquery.Client, name: str, location: str, start: Start) -> bigquery.LoadJob:
    """Start the load called ``name``, or join it where it is already running, and wait.

    Ids are ``name-0``, ``name-1``, … and ``start`` raises ``Conflict`` for one that was used. A
    *running* job of that name loads this very content, so it is joined: a worker that died
    between asking and answering does not load twice. A *finished* one is never taken for an
    answer, whether it failed or not: it says what was loaded once, not what the month holds now
    (B may have replaced A since, or someone dropped the table), and loading again is free,
    atomic and leaves the same rows. Raises what the job's error means.
    """
    for number in itertools.count():
        job_id = f"{name}-{number}"
        try:
            job = start(job_id)
        except Conflict:
            found = client.get_job(job_id, location=location)
            if found.state == "DONE" or not isinstance(found, bigquery.LoadJob):
                continue
            job = found
        return _finished(job)
    raise AssertionError("count() does not end")


def details_of(job: bigquery.LoadJob) -> dict[str, str | int | float]:
    """The job's id, bytes read, slot time (ms) and its page in the console."""
    # LoadJob has no accessor for slot time, although every job's statistics may hold it.
    slot_ms = job._properties.get("statistics", {}).get("totalSlotMs")
    details: dict[str, str | int | float] = {
        "job_id": job.job_id,
        "input_bytes": job.input_file_bytes or 0,
        "console": (
            f"https://console.cloud.google.com/bigquery?project={job.project}"
            f"&j=bq:{job.location}:{job.job_id}&page=queryresults"
        ),
    }
    return details if slot_ms is None else {**details, "slot_millis": int(slot_ms)}


def _finished(job: bigquery.LoadJob) -> bigquery.LoadJob:
    try:
        job.result()
    except GoogleAPICallError as error:
        if job.error_result is None:  # the wait failed, not the job
            raise
        others = [other for other in job.errors or [] if other != job.error_result]
        doing = (
            f"Load job {job.job_id} into {job.destination.dataset_id}.{job.destination.table_id}"
        )
        said = "; ".join(str(each.get("message")) for each in [job.error_result, *others[:2]])
        raise BIGQUERY.error(Said(said, {str(job.error_result.get("reason"))}), doing) from error
    return job
