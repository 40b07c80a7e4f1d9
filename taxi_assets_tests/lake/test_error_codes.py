"""What each published error code of the three services means.

S3: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
Azure: https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes and
https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes
GCS: https://cloud.google.com/storage/docs/json_api/v1/status-codes
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest
from botocore.session import get_session

from taxi_assets.lake.azure_errors import AZURE
from taxi_assets.lake.gcs_errors import GCS
from taxi_assets.lake.s3_errors import S3
from taxi_assets.services import ErrorDetails, Service, http_codes

# What a person has to do, by words of the remedy.
LATER = "Try later"
RACE = "Two runs processed the same month"
ENDED = "Run the month again"
AGAIN = "Materialize it again"
NO_BUCKET = "There is no bucket"
LOGIN = "Renew AWS|Correct the credentials|gcloud auth"
GRANT = "The worker needs|Grant the worker"
ACCOUNT = "Ask whoever pays"
PROJECT = "GOOGLE_CLOUD_PROJECT"
CLOCK = "Set the clock"
REGION = "AWS_DEFAULT_REGION to lake's region"
LOCKED = "no retention policy"
LIMIT = "Shorten the prefix"
LACKS = "lacks something"
QUOTA = "quota"
KMS = "Cloud KMS key"
POLICY = "policy of the organisation"
LIST = "list of (error|status) codes"  # mostly of requests that this package does not send

S3_CODES = {
    LATER: """400 BadDigest, 400 IncompleteBody, 400 RequestTimeout, 409 OperationAborted,
        500 InternalError, 503 ServiceUnavailable, 503 SlowDown, 503 Busy, 307 Redirect,
        307 TemporaryRedirect, 400 XAmzContentSHA256Mismatch, 400 XAmzContentChecksumMismatch""",
    RACE: "412 PreconditionFailed, 409 ConditionalRequestConflict",
    ENDED: "404 NoSuchUpload, 400 InvalidPart, 400 InvalidPartOrder",
    AGAIN: "404 NoSuchKey, 404 NoSuchVersion, 404 NoSuchBucketPolicy, "
    "404 NoSuchLifecycleConfiguration",
    NO_BUCKET: "404 NoSuchBucket",
    LOGIN: """400 ExpiredToken, 403 InvalidAccessKeyId, 403 InvalidSecurity, 400 InvalidToken,
        400 TokenRefreshRequired, 403 SignatureDoesNotMatch, 400 AuthorizationHeaderMalformed,
        400 CredentialsNotSupported, 400 MissingSecurityHeader""",
    GRANT: "403 AccessDenied, 403 CrossLocationLoggingProhibited",
    ACCOUNT: "403 AccountProblem, 403 AllAccessDisabled, 403 NotSignedUp, 403 InvalidPayer",
    CLOCK: "403 RequestTimeTooSkewed, 400 RequestExpired",
    REGION: "301 PermanentRedirect, 400 IllegalLocationConstraintException",
    LOCKED: "403 InvalidObjectState, 409 RestoreAlreadyInProgress, 409 InvalidBucketState",
    LIMIT: """400 EntityTooSmall, 400 EntityTooLarge, 400 KeyTooLongError, 400 MetadataTooLarge,
        400 MaxMessageLengthExceeded, 400 InvalidURI""",
    LACKS: "501 NotImplemented",
    QUOTA: "403 QuotaExceeded",
    LIST: """400 AmbiguousGrantByEmailAddress, 409 BucketAlreadyExists, 409 BucketNotEmpty,
        409 BucketAlreadyOwnedByYou, 400 IllegalVersioningConfigurationException,
        400 IncorrectNumberOfFilesInPostRequest, 400 InlineDataTooLarge,
        400 InvalidAddressingHeader, 400 InvalidArgument, 400 InvalidBucketName,
        400 InvalidDigest, 400 InvalidEncryptionAlgorithmError, 400 InvalidLocationConstraint,
        400 InvalidPolicyDocument, 416 InvalidRange, 400 InvalidRequest,
        400 InvalidStorageClass, 400 InvalidTargetBucketForLogging, 400 MalformedACLError,
        400 MalformedPOSTRequest, 400 MalformedXML, 400 MaxPostPreDataLengthExceededError,
        405 MethodNotAllowed, 411 MissingContentLength, 400 MissingRequestBodyError,
        400 NoLoggingStatusForKey, 400 RequestIsNotMultiPartContent,
        400 RequestTorrentOfBucketError, 400 TooManyBuckets, 400 UnexpectedContent,
        400 UnresolvableGrantByEmailAddress, 400 UserKeyMustBeSpecified""",
}

AZURE_CODES = {
    LATER: """500 InternalError, 500 OperationTimedOut, 503 ServerBusy, 400 Md5Mismatch,
        400 Crc64Mismatch, 409 AccountBeingCreated, 409 SystemInUse, 500 CannotVerifyCopySource,
        429 TooManyRequests""",
    RACE: """412 ConditionNotMet, 412 TargetConditionNotMet, 412 SourceConditionNotMet,
        409 BlobAlreadyExists, 409 PendingCopyOperation, 412 AppendPositionConditionNotMet,
        412 SequenceNumberConditionNotMet""",
    ENDED: "400 InvalidBlockList, 400 InvalidBlobOrBlock",
    AGAIN: "404 BlobNotFound, 404 ResourceNotFound",
    NO_BUCKET: "404 ContainerNotFound, 409 ContainerBeingDeleted, 409 ContainerDisabled",
    LOGIN: """400 InvalidAuthenticationInfo, 401 NoAuthenticationInformation,
        403 AuthenticationFailed""",
    GRANT: """403 InsufficientAccountPermissions, 403 AuthorizationFailure,
        403 AuthorizationPermissionMismatch, 403 AuthorizationSourceIPMismatch,
        403 AuthorizationProtocolMismatch, 403 AuthorizationServiceMismatch,
        403 AuthorizationResourceTypeMismatch, 403 UnauthorizedBlobOverwrite""",
    ACCOUNT: "403 AccountIsDisabled",
    LOCKED: """409 BlobArchived, 409 BlobBeingRehydrated, 409 BlobImmutableDueToPolicy,
        409 BlobImmutableDueToLegalHold, 409 ContainerHasLegalHold, 409 SnapshotsPresent,
        409 ContainerImmutabilityPolicyLocked, 412 LeaseIdMissing, 409 LeaseAlreadyPresent,
        412 LeaseIdMismatchWithBlobOperation, 412 LeaseIdMismatchWithContainerOperation,
        409 LeaseIdMismatchWithLeaseOperation, 412 LeaseLost,
        412 LeaseNotPresentWithBlobOperation, 412 LeaseNotPresentWithContainerOperation""",
    LIMIT: """400 MetadataTooLarge, 400 InvalidMetadata, 400 EmptyMetadataKey, 400 InvalidUri,
        400 InvalidResourceName, 400 RequestUrlFailedToParse, 400 OutOfRangeInput,
        413 RequestBodyTooLarge, 409 BlockCountExceedsLimit, 400 BlockListTooLong,
        412 MaxBlobSizeConditionNotMet, 409 BlobTierInadequateForContentLength,
        409 ContentLengthLargerThanTierLimit""",
    LIST: """409 AccountAlreadyExists, 400 ConditionHeadersNotSupported, 400 InvalidHeaderValue,
        400 InvalidHttpVerb, 400 InvalidInput, 400 InvalidMd5, 400 InvalidQueryParameterValue,
        416 InvalidRange, 400 InvalidXmlDocument, 400 InvalidXmlNodeValue, 400 InvalidBlockId,
        411 MissingContentLengthHeader, 400 MissingRequiredQueryParameter,
        400 MissingRequiredHeader, 400 MissingRequiredXmlNode, 409 InvalidBlobTier,
        400 MultipleConditionHeadersNotSupported, 400 OutOfRangeQueryParameterValue,
        409 ResourceTypeMismatch, 409 ResourceAlreadyExists, 400 UnsupportedHeader,
        400 UnsupportedXmlNode, 400 UnsupportedQueryParameter, 405 UnsupportedHttpVerb,
        409 BlobOperationNotSupported, 409 BlobOverwritten, 409 CannotChangeToLowerTier,
        409 ContainerAlreadyExists, 409 CopyAcrossAccountsNotSupported, 409 CopyIdMismatch,
        409 FeatureVersionMismatch, 409 IncrementalCopyBlobMismatch, 409 InvalidBlobType,
        400 IncrementalCopyOfEarlierVersionSnapshotNotAllowed, 409 BlobNotArchived,
        409 IncrementalCopySourceMustBeSnapshot, 409 InfiniteLeaseDurationRequired,
        409 InvalidOperation, 416 InvalidPageRange, 400 InvalidSourceBlobType,
        409 InvalidSourceBlobUrl, 409 InvalidVersionForPageBlobOperation,
        409 LeaseAlreadyBroken, 409 LeaseIsBreakingAndCannotBeAcquired,
        409 LeaseIsBreakingAndCannotBeChanged, 409 LeaseIsBrokenAndCannotBeRenewed,
        409 LeaseNotPresentWithLeaseOperation, 409 NoPendingCopyOperation,
        409 OperationNotAllowedOnIncrementalCopyBlob, 400 PreviousSnapshotCannotBeNewer,
        409 PreviousSnapshotNotFound, 409 PreviousSnapshotOperationNotSupported,
        409 SequenceNumberIncrementTooLarge, 409 SnapshotCountExceeded,
        409 SnapshotOperationRateExceeded""",
}

GCS_CODES = {
    LATER: """408 uploadBrokenConnection, 429 rateLimitExceeded, 403 rateLimitExceeded,
        403 userRateLimitExceeded, 500 internalError, 500 backendError, 502 badGateway,
        503 backendError, 504 gatewayTimeout""",
    RACE: "412 conditionNotMet",
    AGAIN: "404 notFound, 410 gone",
    LOGIN: """401 authError, 401 required, 401 lockedDomainExpired,
        401 AuthenticationRequiredRequesterPays, 401 pushWebhookUrlUnauthorized""",
    GRANT: "403 forbidden, 403 insufficientPermissions, 403 countryBlocked, 403 sslRequired, "
    "403 stopChannelCallerNotOwner",
    PROJECT: """403 accountDisabled, 403 usageLimits.accessNotConfigured,
        403 accessNotConfigured, 403 UserProjectAccountProblem, 400 UserProjectInvalid,
        400 UserProjectMissing, 400 userProjectInconsistent, 403 userProjectAccessDenied""",
    QUOTA: "403 quotaExceeded, 403 dailyLimitExceeded",
    LOCKED: "403 objectUnderActiveHold, 403 retentionPolicyNotMet",
    LIMIT: "413 uploadTooLarge",
    KMS: """400 cloudKmsBadKey, 400 cloudKmsCannotChangeKeyName, 400 cloudKmsDisabledKey,
        400 cloudKmsDecryptionKeyNotFound, 400 cloudKmsEncryptionKeyNotFound,
        400 cloudKmsKeyLocationNotAllowed""",
    POLICY: "412 orgPolicyConstraintFailed",
    LIST: """400 badRequest, 400 badRequestException, 400 invalid, 400 invalidAltValue,
        400 invalidArgument, 400 invalidParameter, 400 notDownload, 400 notUpload,
        400 parseError, 400 required, 400 turnedDown, 400 wrongUrlForUpload,
        400 customerEncryptionAlgorithmIsInvalid, 400 customerEncryptionKeyFormatIsInvalid,
        400 customerEncryptionKeyIsIncorrect, 400 customerEncryptionKeySha256IsInvalid,
        400 resourceIsEncryptedWithCustomerEncryptionKey, 400 pushChannelIdInvalid,
        400 resourceNotEncryptedWithCustomerEncryptionKey, 400 pushChannelIdNotUnique,
        400 pushWebhookUrlNoHostOrAddress, 400 pushWebhookUrlNotHttps, 405 methodNotAllowed,
        409 conflict, 416 requestedRangeNotSatisfiable""",
}


def cases(codes: Mapping[str, str]) -> Iterator[tuple[int, str, str]]:
    for remedy, listed in codes.items():
        for each in listed.split(","):
            status, code = each.split()
            yield int(status), code, remedy


def remedies(service: Service, status: int, code: str, message: str = "a message") -> str:
    details = ErrorDetails(message, {*http_codes(status), code})
    return service.error(details, "Writing x", uri="x", bucket="lake").remedy


@pytest.mark.parametrize(("status", "code", "remedy"), [*cases(S3_CODES)])
def test_a_code_of_s3(status: int, code: str, remedy: str) -> None:
    assert re.search(remedy, remedies(S3, status, code))


@pytest.mark.parametrize(("status", "code", "remedy"), [*cases(AZURE_CODES)])
def test_a_code_of_azure(status: int, code: str, remedy: str) -> None:
    assert re.search(remedy, remedies(AZURE, status, code))


@pytest.mark.parametrize(("status", "code", "remedy"), [*cases(GCS_CODES)])
def test_a_reason_of_gcs(status: int, code: str, remedy: str) -> None:
    assert re.search(remedy, remedies(GCS, status, code))


def test_every_code_that_the_model_of_s3_lists_has_a_meaning() -> None:
    model = get_session().get_service_model("s3")
    text = re.sub(r"<[^>]+>|\s+", " ", model.shape_for("Error").members["Code"].documentation)
    listed = set(re.findall(r"Code: +([A-Z]\w+) +Description", text))
    assert len(listed) > 60
    assert listed - {code for _, code, _ in cases(S3_CODES)} == set()


def test_a_malformed_authorization_header_is_of_the_region_or_of_the_key() -> None:
    region = "The authorization header is malformed; the region 'us-east-1' is wrong"
    assert re.search(REGION, remedies(S3, 400, "AuthorizationHeaderMalformed", region))
    key = "The authorization header is malformed; a non-empty Access Key must be provided"
    assert re.search(LOGIN, remedies(S3, 400, "AuthorizationHeaderMalformed", key))


@pytest.mark.parametrize("message", ["Metadata part is too large.", "The maximum object length is"])
def test_a_limit_of_gcs_has_no_reason_of_its_own(message: str) -> None:
    assert re.search(LIMIT, remedies(GCS, 400, "invalid", message))
