"""Error rules for S3, see :mod:`taxi_assets.services`.

Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import botocore.exceptions as boto

from taxi_assets.lake.bucket_rules import bucket_missing, object_missing, precondition_failed
from taxi_assets.services import ErrorDetails, Rule, Service, http_codes, transient

__all__ = ["S3"]


def _details(error: Exception) -> ErrorDetails:
    if isinstance(error, ValueError):
        return ErrorDetails(str(error), {boto.BotoCoreError})
    if not isinstance(error, boto.ClientError):
        return ErrorDetails(str(error))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = error.response.get("Error", {}).get("Code", "")
    return ErrorDetails(str(error), {*http_codes(status), code})


_RULES = (
    precondition_failed("PreconditionFailed", "ConditionalRequestConflict"),
    bucket_missing("NoSuchBucket", command="aws s3 mb s3://{bucket} --region REGION"),
    object_missing(),
    transient("RequestTimeout", "SlowDown", "Throttling"),
    transient("BadDigest", "XAmzContentSHA256Mismatch"),
    transient(boto.ConnectionError, boto.HTTPClientError, boto.IncompleteReadError),
    Rule(
        {boto.BotoCoreError},
        "Check AWS_PROFILE, AWS_REGION and AWS_ENDPOINT_URL. Credentials come from "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or the machine's role.",
    ),
    Rule(
        {401, "ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch"},
        "Renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or log in again.",
    ),
    Rule(
        {403},
        "The worker needs s3:ListBucket on {bucket} and s3:GetObject, s3:PutObject, "
        "s3:DeleteObject and s3:AbortMultipartUpload on {bucket}/*.",
    ),
    Rule(
        set(),
        "Set AWS_REGION to {bucket}'s region, and AWS_ENDPOINT_URL only for a store other than "
        "Amazon S3.",
    ),
)

# An invalid AWS_ENDPOINT_URL raises ValueError.
S3 = Service("S3", (boto.ClientError, boto.BotoCoreError, ValueError), _details, _RULES)
