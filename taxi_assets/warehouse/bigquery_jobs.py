"""Run a BigQuery load job under an id derived from its content, so that a retry joins it."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.api_core.exceptions import Conflict
from google.cloud import bigquery

from taxi_assets.google_retries import TIMEOUT
from taxi_assets.warehouse.bigquery_requests import REQUEST, RETRY, existing_job, finished
from taxi_assets.warehouse.bigquery_source import Located

__all__ = ["Content", "details_of", "run_job", "start_load"]

Start = Callable[[str], bigquery.LoadJob]


@dataclass(frozen=True, slots=True)
class Content:
    """What identifies a load: its destination, columns and file."""

    destination: str
    columns: tuple[str, ...]
    uri: str
    version: str
    sha256: str

    def job_name(self, label: str) -> str:
        """The job id without its number; ``label`` makes it readable in the list of jobs."""
        facts = [self.destination, self.columns, self.uri, self.version, self.sha256]
        digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
        return f"taxi_assets-{label}-{digest[:24]}"


def start_load(
    client: bigquery.Client,
    source: Located,
    target: bigquery.TableReference,
    config: bigquery.LoadJobConfig,
    location: str,
    job_id: str,
) -> bigquery.LoadJob:
    """Start the job that loads ``source`` into ``target``, from GCS or by an upload.

    An upload that fails on the way is made again from its start.
    """
    options: dict[str, Any] = {"job_id": job_id, "location": location, "job_config": config}
    path = source.path
    if path is None:
        return client.load_table_from_uri(source.uri, target, **options, **REQUEST)

    def upload() -> bigquery.LoadJob:
        with path.open("rb") as file:
            return client.load_table_from_file(
                file, target, **options, num_retries=0, timeout=TIMEOUT
            )

    return RETRY(upload)()


def run_job(client: bigquery.Client, name: str, location: str, start: Start) -> bigquery.LoadJob:
    """Start the load ``name``, or join it if it is already running, and wait for its end.

    Ids are ``name-0``, ``name-1``, …; ``start`` raises ``Conflict`` for an id in use, which it is
    for good (https://cloud.google.com/bigquery/docs/running-jobs). A *running* job of that name
    loads the same content, so it is joined: the retry of a worker that died while waiting, or of a
    request whose answer was lost, does not load twice. A *finished* job is never reused, whether it
    failed or not: its month may have been replaced or dropped since, and loading again is free,
    atomic and gives the same rows. Raises ``JobFailed``.
    """
    for number in itertools.count():
        job_id = f"{name}-{number}"
        try:
            job = start(job_id)
        except Conflict:
            found = existing_job(client, job_id, location)
            if found.state == "DONE" or not isinstance(found, bigquery.LoadJob):
                continue
            job = found
        return finished(job)
    raise AssertionError("count() does not end")


def details_of(job: bigquery.LoadJob) -> dict[str, str | int | float]:
    """The job's id, bytes read, slot time (ms) and its page in the console."""
    # LoadJob has no property for slot time, although every job's statistics may contain it.
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
