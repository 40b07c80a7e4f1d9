"""What Azure Blob Storage's refusals mean, in the words of this package's errors.

Belongs here: the Azure client's exceptions → ``errors``, with the role or setting to mend. Does
not: the requests (``azure``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from taxi_assets.errors import Misconfigured, ObjectMissing, StoreUnavailable, TaxiAssetsError
from taxi_assets.lake.store import written_meanwhile

_LOST_RACES = {"BlobAlreadyExists", "ConditionNotMet", "PendingCopyOperation"}
_SAME_CONTAINER = {"ContainerNotFound", "ContainerBeingDeleted", "ContainerDisabled"}


@contextmanager
def explained(verb: str, uri: str, container: str) -> Iterator[None]:
    """Turn what Azure's client raises inside into this package's errors.

    ``verb`` and ``uri`` open the message: "Writing", "az://lake/trips/green/…".
    """
    try:
        yield
    except HttpResponseError as error:
        if error.status_code is None:  # a download that was cut, again and again
            raise _no_answer(verb, uri, error) from error
        raise _of_answer(verb, uri, container, error.status_code, error) from error
    except (ServiceRequestError, ServiceResponseError) as error:
        raise _no_answer(verb, uri, error) from error
    except (AzureError, ValueError) as error:  # ValueError: a malformed connection string
        raise Misconfigured(
            f"{verb} {uri}: the Azure settings do not work ({_first_line(error)})."
        ) from error


def is_container(error: HttpResponseError) -> bool:
    """Whether the container is what was not found, rather than a blob in it."""
    return _code(error) in _SAME_CONTAINER


def _no_answer(verb: str, uri: str, error: AzureError) -> StoreUnavailable:
    said = _first_line(error)
    return StoreUnavailable(f"{verb} {uri}: Azure did not answer ({said}). Try later.")


def _of_answer(
    verb: str, uri: str, container: str, status: int, error: HttpResponseError
) -> TaxiAssetsError:
    doing, said = f"{verb} {uri}", _first_line(error)
    if _code(error) in _LOST_RACES or status == 412:
        return written_meanwhile(uri)
    if is_container(error):
        return Misconfigured(
            f"There is no container {container}. Make it (`az storage container create --name "
            f"{container}`) or mend TAXI_LAKE_URL and the account's name."
        )
    if status == 404:
        return ObjectMissing(f"{doing}: it has gone ({said}); materialise it again.")
    if status in (408, 429) or status >= 500 or _code(error) == "Md5Mismatch":
        return StoreUnavailable(f"{doing}: Azure is busy or the line is bad ({said}). Try later.")
    if status == 403 or isinstance(error, ClientAuthenticationError):
        return Misconfigured(
            f"{doing}: permission denied ({said}). Grant the worker's identity the role Storage "
            f"Blob Data Contributor on the container {container}, or mend the credentials."
        )
    return Misconfigured(f"{doing}: Azure refused the request ({status}: {said}).")


def _code(error: HttpResponseError) -> str:
    code = getattr(error, "error_code", "") or ""
    return str(getattr(code, "value", code))


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
