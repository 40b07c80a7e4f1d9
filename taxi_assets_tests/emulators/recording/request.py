"""What a recorder knows of a request, and what it found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

__all__ = ["CALLS", "VIOLATIONS", "Call", "Model", "RequestHead"]

CALLS, VIOLATIONS = "calls.jsonl", "violations.txt"
"""The files that a recorder writes."""


@dataclass(frozen=True, slots=True)
class RequestHead:
    """Method, path (still encoded), query, and headers by their names in lower case."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]

    @classmethod
    def of(cls, method: str, target: str, headers: Mapping[str, str]) -> RequestHead:
        """The parts of a request line."""
        parts = urlsplit(target)
        query = parse_qs(parts.query, keep_blank_values=True)
        return cls(method, parts.path, query, headers)


@dataclass(slots=True)
class Call:
    """The method of the API that a request calls, the fields that it sets, and what is wrong.

    ``schema`` is the body's, in the terms of the model. ``body_limit``: how many of the body's
    bytes are needed to check it, 0 for content, ``None`` for all.
    """

    method: str
    schema: object = None
    body_limit: int | None = 0
    fields: set[str] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)

    def reject(self, name: str, problem: str) -> None:
        """Note that a field, parameter or header is not as the model says."""
        self.violations.append(f"{name}: {problem}")


class Model(Protocol):
    """A service's model."""

    def begin(self, head: RequestHead) -> Call:
        """The call that a request makes, with its parameters and headers checked."""

    def check_body(self, call: Call, head: RequestHead, body: bytes) -> None:
        """Check the first ``call.body_limit`` bytes of the body."""

    def answered(self, call: Call, headers: Mapping[str, str]) -> None:
        """Note what a response says about requests to come."""
