"""What Azure Blob Storage says when it refuses, as a table; see :mod:`taxi_assets.services`.

https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes lists its codes.
"""

from __future__ import annotations

import azure.core.exceptions as azure

from taxi_assets.lake.bucket import gone, lost_race, no_bucket
from taxi_assets.services import Rule, Said, Service, http_codes, transient

__all__ = ["AZURE"]

_CUT = "no status"  # of a download that was cut, again and again


def _said(error: Exception) -> Said:
    message = str(error).partition("\n")[0]
    if not isinstance(error, azure.HttpResponseError):
        return Said(message)
    status = http_codes(error.status_code) if error.status_code else {_CUT}
    code = getattr(error, "error_code", None) or ""
    code = str(getattr(code, "value", code))
    return Said(": ".join(filter(None, (code, message))), {*status, code})


_RULES = (
    transient(_CUT, azure.ServiceRequestError, azure.ServiceResponseError, "Md5Mismatch"),
    lost_race("BlobAlreadyExists", "ConditionNotMet", "PendingCopyOperation"),
    no_bucket(
        *("ContainerNotFound", "ContainerBeingDeleted", "ContainerDisabled"),
        make="az storage container create --name {bucket}",
    ),
    gone(),
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

# A ValueError is what a malformed connection string raises.
AZURE = Service("Azure", (azure.AzureError, ValueError), _said, _RULES)
