"""Error rules for S3, see :mod:`taxi_assets.services`.

Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import botocore.exceptions as boto
from botocore.parsers import ResponseParserError

from taxi_assets.lake.bucket_rules import (
    account_unusable,
    bucket_missing,
    clock_wrong,
    locked,
    object_missing,
    over_a_limit,
    precondition_failed,
    upload_ended,
)
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


_KEYS = "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"

_SETTINGS = (
    "Check AWS_PROFILE, AWS_DEFAULT_REGION and AWS_ENDPOINT_URL. Credentials come from "
    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or the machine's role; none of them "
    "has spaces or line breaks."
)

_RULES = (
    Rule({boto.HTTPClientError}, _SETTINGS, pattern=r".*Invalid header value.*"),
    Rule(
        {501, "NotImplemented"},
        "This store lacks something that the lake needs, such as conditional writes or SHA-256 "
        "checksums: use Amazon S3, or a version of the store that has it.",
    ),
    upload_ended("NoSuchUpload", "InvalidPart", "InvalidPartOrder"),
    precondition_failed("PreconditionFailed", "ConditionalRequestConflict"),
    bucket_missing("NoSuchBucket", command="aws s3 mb s3://{bucket} --region REGION"),
    object_missing(),
    transient("RequestTimeout", "SlowDown", "Throttling", "OperationAborted", "IncompleteBody"),
    transient("BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"),
    transient("TemporaryRedirect", "Redirect", boto.FlexibleChecksumError),
    transient(boto.ConnectionError, boto.HTTPClientError, boto.IncompleteReadError),
    Rule({boto.BotoCoreError, ResponseParserError}, _SETTINGS),
    clock_wrong("RequestTimeTooSkewed", "RequestExpired"),
    Rule(
        {301, "PermanentRedirect", "IllegalLocationConstraintException"},
        "Set AWS_DEFAULT_REGION to {bucket}'s region.",
    ),
    Rule(
        {"AuthorizationHeaderMalformed"},
        "Set AWS_DEFAULT_REGION to {bucket}'s region.",
        pattern=r".*\bregion\b.*",
    ),
    Rule(
        {
            *(401, "ExpiredToken", "InvalidToken", "TokenRefreshRequired", "InvalidAccessKeyId"),
            *("SignatureDoesNotMatch", "AuthorizationHeaderMalformed", "InvalidSecurity"),
            *("CredentialsNotSupported", "MissingSecurityHeader"),
        },
        f"Renew {_KEYS}, or log in again.",
    ),
    account_unusable("AccountProblem", "AllAccessDisabled", "NotSignedUp", "InvalidPayer"),
    Rule({"QuotaExceeded"}, "The store is full: raise its quota, or delete what is not needed."),
    locked("InvalidObjectState", "RestoreAlreadyInProgress", "InvalidBucketState"),
    over_a_limit("EntityTooSmall", "EntityTooLarge", "KeyTooLongError", "MaxMessageLengthExceeded"),
    over_a_limit("MetadataTooLarge", "InvalidURI"),
    Rule(
        {403},
        "The worker needs s3:ListBucket and s3:ListBucketMultipartUploads on {bucket} and "
        "s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on {bucket}/*.",
    ),
    Rule(
        set(),
        "Amazon's list of error codes (Error responses in the API reference of S3) says more. "
        "Check TAXI_LAKE_URL, and AWS_ENDPOINT_URL, which is only for another store than Amazon "
        "S3.",
    ),
)

# An invalid AWS_ENDPOINT_URL raises ValueError.
_RAISED = (boto.ClientError, boto.BotoCoreError, ResponseParserError, ValueError)
S3 = Service("S3", _RAISED, _details, _RULES)
