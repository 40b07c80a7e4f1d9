"""Rules of the cloud services that their published API descriptions lack, and who enforces them.

One module per service has its ``RULES``. ``docs/service-rules.md`` is written from them
(``python -m taxi_assets_tests.service_rules``), and ``mutations`` breaks the package once for each
and runs the test that must then fail (``make test-mutations``).
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Mutation", "ServiceRule"]


@dataclass(frozen=True, slots=True)
class Mutation:
    """A change of the package that breaks a rule: ``old`` (once in ``file``) becomes ``new``.

    ``file`` is relative to the repository; ``test`` is a pytest node id, of a test that fails then.
    """

    file: str
    old: str
    new: str
    test: str


@dataclass(frozen=True, slots=True)
class ServiceRule:
    """What a service requires or does (``rule``), and the page that says so (``source``).

    ``stand_in`` is the part of the tests that enforces it, a path with a name: of an emulator of
    ours, or of the test that checks the request that is sent, where an emulator ignores the rule.
    ``mutation`` is ``None`` where no line of the package can break the rule; ``reason`` says why.
    """

    rule: str
    source: str
    stand_in: str
    mutation: Mutation | None
    reason: str = ""
