"""Translate the exceptions of external services into this package's errors, by rules.

A :class:`Service` has the exceptions of its client, a function that reads codes and message from
them, and rules. Code calls a client inside :func:`named_errors`. Add a service next to the code
that calls it, as in ``lake.s3_errors``, and a rule for a code that none covers.

A client's message may quote an address with a password or a token, so it is shown with
``addresses.text_shown``, and an exception whose chain quotes one is not chained: Dagster records
the messages of the whole chain.

Rules match on codes. Where a service has no code for a case, a rule matches the whole message: a
single word of it may also occur in a path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass

from taxi_assets.addresses import text_shown
from taxi_assets.errors import Misconfigured, StoreUnavailable, TaxiAssetsError
from taxi_assets.wording import one_line

__all__ = [
    "TRY_LATER",
    "Code",
    "ErrorDetails",
    "Rule",
    "Service",
    "cause_shown",
    "http_codes",
    "named_errors",
    "transient",
]

TRY_LATER = "Try later."

Code = int | str | type
"""An HTTP status, a code of the service, or a class of its client's exceptions."""


@dataclass(frozen=True, slots=True)
class ErrorDetails:
    """The service's message and the codes of one exception."""

    message: str
    codes: Set[Code] = frozenset()


@dataclass(frozen=True, slots=True)
class Rule:
    """The ``error`` to raise for any of ``codes`` (none: for everything), and its ``remedy``.

    ``pattern`` must match the whole message. The texts are format strings with ``doing``,
    ``service``, ``message`` and the facts passed to ``named_errors``.
    """

    codes: Set[Code]
    remedy: str
    error: type[TaxiAssetsError] = Misconfigured
    pattern: str = ".*"
    happened: str = "{doing} failed ({service}: {message})."

    def matches(self, details: ErrorDetails) -> bool:
        """Whether this rule applies."""
        if self.codes and self.codes.isdisjoint(details.codes):
            return False
        return re.fullmatch(self.pattern, details.message, re.DOTALL) is not None


@dataclass(frozen=True, slots=True)
class Service:
    """A service and its rules: the first match applies, and the last rule must match everything.

    ``raises`` are the client's exceptions. Their classes count as codes, in addition to those that
    ``read`` returns.
    """

    name: str
    raises: tuple[type[Exception], ...]
    read: Callable[[Exception], ErrorDetails]
    rules: tuple[Rule, ...]

    def details(self, error: Exception) -> ErrorDetails:
        """The message and all codes of one of ``raises``."""
        details = self.read(error)
        return ErrorDetails(details.message, {*details.codes, *type(error).__mro__})

    def is_transient(self, error: Exception) -> bool:
        """Whether the same request may be sent again: ``error`` means ``StoreUnavailable``."""
        return isinstance(error, self.raises) and self.means_transient(self.details(error))

    def means_transient(self, details: ErrorDetails) -> bool:
        """The same for details of an answer that no exception was raised for yet."""
        return self._rule(details).error is StoreUnavailable

    def error(self, details: ErrorDetails, doing: str, **facts: str) -> TaxiAssetsError:
        """The error to raise for ``details``, which occurred while ``doing``, in one line."""
        rule = self._rule(details)
        message = one_line(text_shown(details.message))
        values = {**facts, "doing": doing, "service": self.name, "message": message}
        return rule.error(rule.happened.format(**values), rule.remedy.format(**values))

    def _rule(self, details: ErrorDetails) -> Rule:
        return next(rule for rule in self.rules if rule.matches(details))


@contextmanager
def named_errors(service: Service, doing: str, **facts: str) -> Iterator[None]:
    """Translate exceptions of ``service``'s client into this package's errors.

    ``doing`` starts the message: "Writing gs://lake/trips/green/…", "Loading green_trips 2024-01".
    """
    try:
        yield
    except service.raises as error:
        raise service.error(service.details(error), doing, **facts) from cause_shown(error)


def cause_shown(error: Exception) -> Exception | None:
    """``error``, to raise another from it; ``None`` if its chain quotes more than is shown."""
    each: BaseException | None = error
    chain: set[int] = set()  # a driver's error raised while its wrapper is handled is a circle
    while each is not None and id(each) not in chain:
        if text_shown(str(each)) != str(each):
            return None
        chain.add(id(each))
        each = each.__cause__ or each.__context__
    return error


def http_codes(status: int) -> set[Code]:
    """An HTTP status as codes: itself and its class, ``5xx``."""
    return {status, f"{status // 100}xx"}


def transient(*codes: Code) -> Rule:
    """The rule for errors that a retry may resolve: HTTP 408, 429, 5xx and ``codes``."""
    return Rule({408, 429, "5xx", *codes}, TRY_LATER, StoreUnavailable)
