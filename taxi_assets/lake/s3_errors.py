"""What S3's refusals mean, in the words of this package's errors.

Belongs here: botocore's exceptions → ``errors``, with the permission or setting to mend. Does
not: the requests (``s3``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own; the builtin is not used here
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
)

from taxi_assets.errors import Misconfigured, ObjectMissing, StoreUnavailable, TaxiAssetsError
from taxi_assets.lake.store import written_meanwhile

_PASSING = {"BadDigest", "RequestTimeout", "SlowDown", "Throttling", "XAmzContentSHA256Mismatch"}
_LOST_RACES = {"ConditionalRequestConflict", "PreconditionFailed"}
_CREDENTIALS = {"ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch"}
_ELSEWHERE = {"AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}


@contextmanager
def explained(verb: str, uri: str, bucket: str) -> Iterator[None]:
    """Turn what botocore raises inside into this package's errors.

    ``verb`` and ``uri`` open the message: "Writing", "s3://lake/trips/green/…".
    """
    try:
        yield
    except ClientError as error:
        raise _of_answer(verb, uri, bucket, error) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise Misconfigured(
            f"{verb} {uri}: there are no AWS credentials ({error}). Set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, name a profile in AWS_PROFILE, or give the machine a role."
        ) from error
    except (ConnectionError, HTTPClientError, IncompleteReadError) as error:
        raise StoreUnavailable(f"{verb} {uri}: S3 did not answer ({error}). Try later.") from error
    except BotoCoreError as error:
        raise Misconfigured(f"{verb} {uri}: the AWS settings do not work ({error}).") from error


def status_of(error: ClientError) -> int:
    """The HTTP status of an answer."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _of_answer(verb: str, uri: str, bucket: str, error: ClientError) -> TaxiAssetsError:
    doing, status = f"{verb} {uri}", status_of(error)
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in _LOST_RACES or status == 412:
        return written_meanwhile(uri)
    if code == "NoSuchBucket":
        return Misconfigured(
            f"There is no bucket {bucket}. Make it (`aws s3 mb s3://{bucket} --region REGION`) or "
            "mend TAXI_LAKE_URL."
        )
    if status == 404:
        return ObjectMissing(f"{doing}: it has gone ({error}); materialise it again.")
    if code in _PASSING or status in (408, 429) or status >= 500:
        return StoreUnavailable(f"{doing}: S3 is busy or the line is bad ({error}). Try later.")
    return Misconfigured(f"{doing}: {_remedy(bucket, status, code, error)}")


def _remedy(bucket: str, status: int, code: str, error: ClientError) -> str:
    if code in _CREDENTIALS or status == 401:
        return (
            f"AWS does not accept these credentials ({error}). Renew AWS_ACCESS_KEY_ID, "
            "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or log in again."
        )
    if code in _ELSEWHERE or status in (301, 307, 400):
        return (
            f"S3 refused the request ({error}). Set AWS_REGION to {bucket}'s region, and "
            "AWS_ENDPOINT_URL only for a store that is not Amazon's."
        )
    return (
        f"permission denied ({error}). The worker needs s3:ListBucket on {bucket} and "
        f"s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on {bucket}/*."
    )
