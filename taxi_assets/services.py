"""Errors of outside services, named as this package's errors: one table per service.

A table is a :class:`Service`: what its client raises, one function that reads codes and message out
of that, and rules that say what they mean. Code that calls a client does so inside
:func:`named_errors`. A new service gets a table beside the code that calls it, as in
``lake.s3_errors``; a code met for the first time gets a rule.

Services are told by their codes. Where one has no code for a case, a rule gives its whole sentence
as a pattern: a word of it may as well be part of a path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass

from taxi_assets.errors import Misconfigured, StoreUnavailable, TaxiAssetsError

__all__ = [
    "TRY_LATER",
    "Code",
    "Rule",
    "Said",
    "Service",
    "http_codes",
    "named_errors",
    "transient",
]

TRY_LATER = "Try later."

Code = int | str | type
"""An HTTP status, a word of the service's own, or a class of its client's exceptions."""


@dataclass(frozen=True, slots=True)
class Said:
    """What an exception says: the service's own sentence, and codes."""

    message: str
    codes: Set[Code] = frozenset()


@dataclass(frozen=True, slots=True)
class Rule:
    """What any of ``codes`` (of none: anything) ``means``, and what to do.

    ``words`` is a pattern of the whole message, for where codes are not enough. The texts are
    format strings over ``doing``, ``service``, ``said`` and the facts given to ``named_errors``.
    """

    codes: Set[Code]
    remedy: str
    means: type[TaxiAssetsError] = Misconfigured
    words: str = ".*"
    happened: str = "{doing} failed ({service}: {said})."

    def matches(self, said: Said) -> bool:
        """Whether this is a rule for what was said."""
        if self.codes and self.codes.isdisjoint(said.codes):
            return False
        return re.fullmatch(self.words, said.message, re.DOTALL) is not None


@dataclass(frozen=True, slots=True)
class Service:
    """A service and its table: the first rule that matches decides, and the last one always does.

    ``raises`` are its client's exceptions; their classes are codes, beside those ``read`` finds.
    """

    name: str
    raises: tuple[type[Exception], ...]
    read: Callable[[Exception], Said]
    rules: tuple[Rule, ...]

    def error(self, said: Said, doing: str, **facts: str) -> TaxiAssetsError:
        """The error for what was said while ``doing``."""
        rule = next(rule for rule in self.rules if rule.matches(said))
        known = {**facts, "doing": doing, "service": self.name, "said": said.message}
        return rule.means(rule.happened.format(**known), rule.remedy.format(**known))


@contextmanager
def named_errors(service: Service, doing: str, **facts: str) -> Iterator[None]:
    """Turn what ``service``'s client raises inside into this package's errors.

    ``doing`` opens the message: "Writing gs://lake/trips/green/…", "Loading green_trips 2024-01".
    """
    try:
        yield
    except service.raises as error:
        said = service.read(error)
        said = Said(said.message, {*said.codes, *type(error).__mro__})
        raise service.error(said, doing, **facts) from error


def http_codes(status: int) -> set[Code]:
    """An HTTP status as codes: itself and its class, ``5xx``."""
    return {status, f"{status // 100}xx"}


def transient(*codes: Code) -> Rule:
    """The rule for what another try may get past: HTTP's own such statuses, and ``codes``."""
    return Rule({408, 429, "5xx", *codes}, TRY_LATER, StoreUnavailable)
