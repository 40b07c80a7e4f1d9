"""Run probes one after the other, and report each in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from taxi_assets.addresses import text_shown
from taxi_assets.errors import TaxiAssetsError
from taxi_assets.machine_errors import named_machine_errors
from taxi_assets.wording import one_line

__all__ = ["Group", "NotProbed", "Probe", "run_probes"]

_NAME_WIDTH = 44
_TEXT_LIMIT = 1000


class NotProbed(Exception):
    """Raised by a probe that does not apply; the text says why. It is not a failure."""


@dataclass(frozen=True, slots=True)
class Probe:
    """``run`` returns what it found, or raises an error that says what to grant or change.

    Without a text there is nothing to report. It is skipped if a probe that it ``needs`` failed.
    """

    name: str
    run: Callable[[], str]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Probes of one store or service; ``clean_up`` follows them, also after Ctrl-C."""

    probes: Sequence[Probe]
    clean_up: Sequence[Probe] = ()


def run_probes(groups: Iterable[Group], write: Callable[[str], None]) -> bool:
    """Run all probes in order and ``write`` a line for each; whether none failed."""
    outcomes: dict[str, bool] = {}
    for group in groups:
        try:
            for probe in group.probes:
                _run(probe, outcomes, write)
        finally:
            for probe in group.clean_up:
                _run(probe, outcomes, write)
    return all(outcomes.values())


def _run(probe: Probe, outcomes: dict[str, bool], write: Callable[[str], None]) -> None:
    """Run one probe; a skipped one has no outcome, and neither have those that need it."""
    missing = [name for name in probe.needs if not outcomes.get(name)]
    if missing:
        write(_line("skip", probe.name, f"needs {missing[0]!r}"))
        return
    try:
        with named_machine_errors(probe.name):
            text = probe.run()
    except NotProbed as reason:
        write(_line("skip", probe.name, str(reason)))
        return
    except TaxiAssetsError as error:
        outcomes[probe.name] = False
        write(_line("FAIL", probe.name, str(error)))
        return
    except Exception as error:  # noqa: BLE001 - the other probes and the cleaning up must still run
        outcomes[probe.name] = False
        text = f"unexpected {type(error).__name__}: {text_shown(str(error))}"
        write(_line("FAIL", probe.name, text))
        return
    outcomes[probe.name] = True
    if text:
        write(_line("ok", probe.name, text))


def _line(verdict: str, name: str, text: str) -> str:
    return f"{verdict:<4}  {name:<{_NAME_WIDTH}}  {one_line(text, _TEXT_LIMIT)}"
