"""Google's retry object with the attempts of ``retry_policy``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import requests
from google.api_core.retry import Retry
from typing_extensions import override

from taxi_assets.retry_policy import (
    CONNECT_SECONDS,
    SILENCE_SECONDS,
    Attempts,
    retry_after_seconds,
)

__all__ = ["TIMEOUT", "GoogleRetry"]

TIMEOUT = (CONNECT_SECONDS, SILENCE_SECONDS)
"""For the ``timeout`` of a client's method: to connect, and between two packets of data."""

_Args = ParamSpec("_Args")
_Result = TypeVar("_Result")


class GoogleRetry(Retry):
    """For the ``retry`` of a client's method; ``predicate`` says which errors are transient.

    Unlike its base it counts the attempts and obeys ``Retry-After``, and it raises the last error
    as it is. The base's delays and timeout are not used.
    """

    @override
    def __call__(
        self,
        func: Callable[_Args, _Result],
        on_error: Callable[[Exception], Any] | None = None,
    ) -> Callable[_Args, _Result]:
        @functools.wraps(func)
        def attempted(*args: _Args.args, **kwargs: _Args.kwargs) -> _Result:
            attempts = Attempts()
            while True:
                try:
                    return func(*args, **kwargs)
                except Exception as error:
                    if not (self._predicate(error) and attempts.again(_retry_after(error))):
                        raise

        return attempted


def _retry_after(error: Exception) -> float | None:
    response = getattr(error, "response", None)
    if not isinstance(response, requests.Response):
        return None
    return retry_after_seconds(response.headers.get("Retry-After"))
