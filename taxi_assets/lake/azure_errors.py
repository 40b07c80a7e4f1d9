"""Error rules for Azure Blob Storage, see :mod:`taxi_assets.services`.

Codes: https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes and
https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes
"""

from __future__ import annotations

from collections.abc import Mapping

import azure.core.exceptions as azure

from taxi_assets.errors import StoreUnavailable
from taxi_assets.lake.bucket_rules import (
    account_unusable,
    bucket_missing,
    locked,
    object_missing,
    over_a_limit,
    precondition_failed,
    upload_ended,
)
from taxi_assets.services import TRY_LATER, ErrorDetails, Rule, Service, http_codes, transient

__all__ = ["AZURE", "is_transient_answer"]

_NO_STATUS = "no status"  # a download that was interrupted on every retry
_NOT_SENT = "not sent"  # no token, or no signature


def _details(error: Exception) -> ErrorDetails:
    message = str(error).partition("\n")[0]
    if not isinstance(error, azure.HttpResponseError):
        invalid = message.startswith("Invalid leading whitespace")  # in a header, by requests
        return ErrorDetails(message, {_NOT_SENT} if invalid else set())
    if isinstance(error, azure.ClientAuthenticationError) and not error.status_code:
        return ErrorDetails(str(error), {_NOT_SENT})
    status = http_codes(error.status_code) if error.status_code else {_NO_STATUS}
    code = getattr(error, "error_code", None) or ""
    code = str(getattr(code, "value", code))
    return ErrorDetails(": ".join(filter(None, (code, message))), {*status, code})


_LEASES = {
    *("LeaseIdMissing", "LeaseIdMismatchWithBlobOperation", "LeaseNotPresentWithBlobOperation"),
    *("LeaseIdMismatchWithContainerOperation", "LeaseNotPresentWithContainerOperation"),
    *("LeaseAlreadyPresent", "LeaseLost", "LeaseIdMismatchWithLeaseOperation"),
}
_PROTECTED = {
    *("BlobArchived", "BlobBeingRehydrated", "BlobImmutableDueToPolicy", "SnapshotsPresent"),
    *("BlobImmutableDueToLegalHold", "ContainerHasLegalHold", "ContainerImmutabilityPolicyLocked"),
}

_RULES = (
    # The credentials of azure-identity quote the failure of a token's endpoint, without its type.
    Rule(
        {_NOT_SENT},
        TRY_LATER,
        StoreUnavailable,
        r".*(Failed to (establish|resolve)|timed out|Connection (aborted|reset|broken)).*",
    ),
    Rule(
        {_NOT_SENT},
        "Run `az login`, set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET, run with a "
        "managed or workload identity, or correct the account key or SAS in "
        "AZURE_STORAGE_CONNECTION_STRING.",
    ),
    transient("Md5Mismatch", "Crc64Mismatch", "AccountBeingCreated", "SystemInUse"),
    transient(_NO_STATUS, azure.ServiceRequestError, azure.ServiceResponseError),
    Rule({azure.AzureError}, TRY_LATER, StoreUnavailable, r"MD5 mismatch\..*"),
    locked(*_PROTECTED, *_LEASES),
    over_a_limit("MetadataTooLarge", "InvalidMetadata", "EmptyMetadataKey", "InvalidResourceName"),
    over_a_limit("InvalidUri", "RequestUrlFailedToParse", "OutOfRangeInput", "RequestBodyTooLarge"),
    over_a_limit("BlockCountExceedsLimit", "BlockListTooLong", "MaxBlobSizeConditionNotMet"),
    over_a_limit("BlobTierInadequateForContentLength", "ContentLengthLargerThanTierLimit"),
    upload_ended("InvalidBlockList", "InvalidBlobOrBlock"),
    precondition_failed("BlobAlreadyExists", "ConditionNotMet", "PendingCopyOperation"),
    bucket_missing(
        *("ContainerNotFound", "ContainerBeingDeleted", "ContainerDisabled"),
        command="az storage container create --name {bucket}",
    ),
    object_missing(),
    account_unusable("AccountIsDisabled"),
    Rule(
        {401, "InvalidAuthenticationInfo", "NoAuthenticationInformation", "AuthenticationFailed"},
        "Correct the credentials in AZURE_STORAGE_CONNECTION_STRING or AZURE_CLIENT_*, or log in "
        "again with `az login`; a wrong clock of this machine has the same effect.",
    ),
    Rule(
        {403},
        "Grant the worker's identity the role Storage Blob Data Contributor on the container "
        "{bucket}, and let the account's firewall pass this machine.",
    ),
    Rule(
        set(),
        "Microsoft's list of error codes of Blob Storage says more. Check TAXI_LAKE_URL, and "
        "AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_ACCOUNT.",
    ),
)

# A malformed connection string raises ValueError.
AZURE = Service("Azure", (azure.AzureError, ValueError), _details, _RULES)


def is_transient_answer(status: int, headers: Mapping[str, str]) -> bool:
    """Whether the request may be sent again; the source of a copy has a code of its own."""
    codes = {headers.get(name, "") for name in ("x-ms-error-code", "x-ms-copy-source-error-code")}
    return status >= 400 and AZURE.means_transient(
        ErrorDetails("", {*http_codes(status), *codes - {""}})
    )
