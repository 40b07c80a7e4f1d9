"""What BigQuery's refusals mean, in the words of this package's errors.

Belongs here: Google's exceptions and job errors → ``errors``, with the role or place to mend.
Does not: retrying (the clients and Dagster do), the calls themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from google.api_core import exceptions as google
from google.auth import exceptions as auth
from requests import exceptions as http

from taxi_assets.errors import (
    AuditFailed,
    Misconfigured,
    ObjectMissing,
    StoreUnavailable,
    TaxiAssetsError,
)
from taxi_assets.gcp import credentials_refused

ROLES = (
    "Grant the worker's account roles/bigquery.dataEditor on the dataset, roles/bigquery.jobUser "
    "and roles/bigquery.readSessionUser on the project, and roles/storage.objectViewer on the "
    "lake's bucket."
)

# https://cloud.google.com/bigquery/docs/error-messages; the job… forms are the API's newer names.
_PASSING = {
    "backendError",
    "internalError",
    "jobBackendError",
    "jobInternalError",
    "jobRateLimitExceeded",
    "quotaExceeded",
    "rateLimitExceeded",
    "stopped",
    "tableUnavailable",
    "timeout",
}
_REASON_OF_STATUS = {400: "invalid", 403: "accessDenied", 404: "notFound"}
_LOCATIONS = re.compile(r"different locations:\s*source:\s*([\w-]+),\s*destination:\s*([\w-]+)")
_STRAY = re.compile(r"belong to different partitions", re.IGNORECASE)


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Turn what Google's clients raise inside into this package's errors.

    ``doing`` opens the message: "Loading nyc.green_trips 2024-01".
    """
    try:
        yield
    except google.GoogleAPICallError as error:
        raise _of_call(doing, error) from error
    except (google.RetryError, http.ConnectionError, http.Timeout) as error:
        raise StoreUnavailable(f"{doing}: BigQuery did not answer ({error}). Try later.") from error
    except auth.GoogleAuthError as error:
        raise credentials_refused(doing, error) from error


def refused(doing: str, errors: Sequence[Mapping[str, str]]) -> TaxiAssetsError:
    """The error of a job that failed: ``errors`` as BigQuery lists them, the verdict first."""
    said = "; ".join(str(error.get("message", error)) for error in errors[:3])
    return _meaning(doing, str(errors[0].get("reason", "")), said)


def _of_call(doing: str, error: google.GoogleAPICallError) -> TaxiAssetsError:
    details = [detail for detail in error.errors if isinstance(detail, Mapping)]
    reason = str(details[0].get("reason", "")) if details else ""
    status = int(error.code) if error.code is not None else 0
    # 412: another run changed the table's schema between our read of it and our change.
    if status in (408, 412, 429) or status >= 500:
        return _meaning(doing, "backendError", error.message)
    return _meaning(doing, reason or _REASON_OF_STATUS.get(status, "invalid"), error.message)


def _meaning(doing: str, reason: str, said: str) -> TaxiAssetsError:
    if reason in _PASSING:
        return StoreUnavailable(f"{doing}: BigQuery is busy or broken ({reason}: {said}).")
    if remedy := _remedy(reason, said):
        return Misconfigured(f"{doing}: {remedy}")
    if reason == "notFound":
        return ObjectMissing(f"{doing}: {said}. Put the month into the lake again.")
    if _STRAY.search(said):
        return AuditFailed(
            f"{doing}: rows of another source_month are in the file ({said}). The table is as it "
            "was; the file was made for another month, so make it again."
        )
    return AuditFailed(
        f"{doing}: BigQuery refused the rows ({reason}: {said}). The table is as it was; trying "
        "again fails again until the file or the specification is mended."
    )


def _remedy(reason: str, said: str) -> str | None:
    """What a person must set right outside the code, if that is what is wrong."""
    if places := _LOCATIONS.search(said):
        return (
            f"the bucket is in {places[1]}, the dataset is in {places[2]}, and BigQuery loads only "
            "within one location. Make the dataset where the bucket is, or the bucket where the "
            "dataset is; neither can be moved."
        )
    if "was not found in location" in said:
        return f"{said}. Take location= out of TAXI_WAREHOUSE_URL or name the dataset's own."
    if reason in ("accessDenied", "forbidden", "billingNotEnabled"):
        return f"BigQuery refused ({said}). {ROLES}"
    if reason == "notFound" and "Dataset" in said:
        return (
            f"the dataset does not exist ({said}). Make it where the lake's bucket is: "
            "`bq --location=LOCATION mk --dataset PROJECT:DATASET`."
        )
    return None
