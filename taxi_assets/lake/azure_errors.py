"""Error rules for Azure Blob Storage, see :mod:`taxi_assets.services`.

Codes: https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
"""

from __future__ import annotations

import azure.core.exceptions as azure

from taxi_assets.lake.bucket_rules import bucket_missing, object_missing, precondition_failed
from taxi_assets.services import ErrorDetails, Rule, Service, http_codes, transient

__all__ = ["AZURE"]

_NO_STATUS = "no status"  # a download that was interrupted on every retry


def _details(error: Exception) -> ErrorDetails:
    message = str(error).partition("\n")[0]
    if not isinstance(error, azure.HttpResponseError):
        return ErrorDetails(message)
    status = http_codes(error.status_code) if error.status_code else {_NO_STATUS}
    code = getattr(error, "error_code", None) or ""
    code = str(getattr(code, "value", code))
    return ErrorDetails(": ".join(filter(None, (code, message))), {*status, code})


_RULES = (
    transient(_NO_STATUS, azure.ServiceRequestError, azure.ServiceResponseError, "Md5Mismatch"),
    precondition_failed("BlobAlreadyExists", "ConditionNotMet", "PendingCopyOperation"),
    bucket_missing(
        *("ContainerNotFound", "ContainerBeingDeleted", "ContainerDisabled"),
        command="az storage container create --name {bucket}",
    ),
    object_missing(),
    Rule(
        {403, azure.ClientAuthenticationError},
        "Grant the worker's identity the role Storage Blob Data Contributor on the container "
        "{bucket}, or correct the credentials.",
    ),
    Rule(
        set(),
        "Correct TAXI_LAKE_URL, and AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_ACCOUNT.",
    ),
)

# A malformed connection string raises ValueError.
AZURE = Service("Azure", (azure.AzureError, ValueError), _details, _RULES)
