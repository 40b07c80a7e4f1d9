"""What a fault is, and what can be found wrong after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["Finding", "Result", "Wrong"]


class Wrong(StrEnum):
    """The kinds of findings; the columns of the table in ``docs/reliability.md``."""

    LOST = "rows lost"
    DOUBLED = "rows doubled"
    MIXED = "mixed months"
    UNREADABLE = "months refused"
    HANG = "hangs"
    UNNAMED = "unnamed errors"
    LEAK = "canaries"
    LEFT = "files left"
    FALSE = "false statements"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that must not happen, with what is needed to look into it."""

    wrong: Wrong
    detail: str


@dataclass(frozen=True, slots=True)
class Result:
    """One injected fault.

    ``kind`` and ``stores`` are its row in the table, ``fault`` names it so that the same seed gives
    it again; ``skipped`` is the reason why it could not be injected; ``polls`` is how often a
    reader has read the month meanwhile.
    """

    kind: str
    stores: str
    fault: str
    findings: tuple[Finding, ...] = field(default=())
    skipped: str = ""
    polls: int = 0
