"""What S3 says when it refuses, as a table; see :mod:`taxi_assets.services`.

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html lists its codes.
"""

from __future__ import annotations

import botocore.exceptions as boto

from taxi_assets.lake.bucket import gone, lost_race, no_bucket
from taxi_assets.services import Rule, Said, Service, http_codes, transient

__all__ = ["S3"]


def _said(error: Exception) -> Said:
    if not isinstance(error, boto.ClientError):
        return Said(str(error))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = error.response.get("Error", {}).get("Code", "")
    return Said(str(error), {*http_codes(status), code})


_RULES = (
    lost_race("PreconditionFailed", "ConditionalRequestConflict"),
    no_bucket("NoSuchBucket", make="aws s3 mb s3://{bucket} --region REGION"),
    gone(),
    transient("RequestTimeout", "SlowDown", "Throttling"),
    transient("BadDigest", "XAmzContentSHA256Mismatch"),
    transient(boto.ConnectionError, boto.HTTPClientError, boto.IncompleteReadError),
    Rule(
        {boto.BotoCoreError},
        "Check AWS_PROFILE, AWS_REGION and AWS_ENDPOINT_URL. Credentials are AWS_ACCESS_KEY_ID "
        "and AWS_SECRET_ACCESS_KEY, those of a profile, or of the machine's role.",
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
        "Set AWS_REGION to {bucket}'s region, and AWS_ENDPOINT_URL only for a store that is not "
        "Amazon's.",
    ),
)

S3 = Service("S3", (boto.ClientError, boto.BotoCoreError), _said, _RULES)
