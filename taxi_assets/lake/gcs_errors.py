"""What GCS's refusals mean, in the words of this package's errors.

Belongs here: Google's exceptions → ``errors``, with the role or setting to mend. Does not: the
requests (``gcs``), credentials that give no token (``taxi_assets.gcp``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from google.api_core.exceptions import GoogleAPICallError, NotFound, PreconditionFailed, RetryError
from google.auth.exceptions import GoogleAuthError
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from requests.exceptions import RequestException

from taxi_assets.errors import (
    Misconfigured,
    ObjectMissing,
    StoreUnavailable,
    TaxiAssetsError,
)
from taxi_assets.gcp import credentials_refused
from taxi_assets.lake.store import written_meanwhile

# https://cloud.google.com/storage/docs/json_api/v1/status-codes
_OF_THE_PROJECT = (
    "accessNotConfigured",
    "has not been used in project",
    "accountDisabled",
    "billing account",
    "UserProject",
    "User project",
    "Unknown project",
    "serviceusage",
)


@contextmanager
def explained(verb: str, uri: str, bucket: str) -> Iterator[None]:
    """Turn what Google's client raises inside into this package's errors.

    ``verb`` and ``uri`` open the message: "Writing", "gs://lake/trips/green/…".
    """
    doing = f"{verb} {uri}"
    try:
        yield
    except PreconditionFailed as error:
        raise written_meanwhile(uri) from error
    except GoogleAPICallError as error:
        raise _of_status(doing, bucket, int(error.code or 0), error) from error
    except InvalidResponse as error:
        raise _of_status(doing, bucket, int(error.response.status_code), error) from error
    except DataCorruption as error:
        raise StoreUnavailable(f"{doing}: the content was damaged on its way ({error}).") from error
    except (RetryError, RequestException, ConnectionError, TimeoutError) as error:
        raise StoreUnavailable(f"{doing}: GCS did not answer ({error}). Try later.") from error
    except GoogleAuthError as error:
        raise credentials_refused(doing, error) from error


def is_bucket(error: NotFound) -> bool:
    """Whether the bucket is what was not found, rather than an object in it."""
    return "specified bucket does not exist" in error.message


def bucket_missing(bucket: str) -> Misconfigured:
    """The error of a bucket that is not there."""
    return Misconfigured(
        f"There is no bucket {bucket}. Make it where the BigQuery dataset is (`gcloud "
        f"storage buckets create gs://{bucket} --location=LOCATION --project=PROJECT`) or mend "
        "TAXI_LAKE_URL."
    )


def _of_status(doing: str, bucket: str, status: int, error: Exception) -> TaxiAssetsError:
    said = str(getattr(error, "message", error))
    if isinstance(error, NotFound) and is_bucket(error):
        return bucket_missing(bucket)
    if status in (404, 410):
        return ObjectMissing(f"{doing}: it has gone ({said}); materialise it again.")
    if status in (408, 429) or status >= 500 or "doesn't match" in said:
        return StoreUnavailable(f"{doing}: GCS is busy or the line is bad ({said}). Try later.")
    return Misconfigured(f"{doing}: {_remedy(bucket, status, error)}")


def _remedy(bucket: str, status: int, error: Exception) -> str:
    said = str(getattr(error, "message", error))
    reasons = [str(detail.get("reason")) for detail in getattr(error, "errors", [])]
    if any(sign in text for text in (said, *reasons) for sign in _OF_THE_PROJECT):
        return (
            f"the project is refused, not the bucket ({said}). Set GOOGLE_CLOUD_PROJECT "
            "to a project with billing and the API storage.googleapis.com enabled."
        )
    if status == 401:
        return (
            f"Google does not accept these credentials ({said}). Run `gcloud auth "
            "application-default login`, or renew GOOGLE_APPLICATION_CREDENTIALS."
        )
    if status == 403:
        return (
            f"permission denied ({said}). Grant the worker's account "
            f"roles/storage.objectUser on gs://{bucket}, or roles/storage.objectViewer if it only "
            "reads."
        )
    return f"GCS refused the request ({status}: {said})."
