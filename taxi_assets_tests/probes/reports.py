"""Run probes and read their lines."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from taxi_assets.probes.check import check
from taxi_assets.probes.probe import Group, run_probes
from taxi_assets.settings import Settings

_LINE = re.compile(r"(ok|FAIL|skip) +(\S.*?)  +(\S.*)")


@dataclass
class Report:
    """The verdict and the text of each line, by the probe's name; and whether all is well."""

    well: bool = True
    verdicts: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def add(self, line: str) -> None:
        assert "\n" not in line
        match = _LINE.fullmatch(line)
        assert match, line
        verdict, name, text = match.groups()
        assert name not in self.verdicts, f"{name} twice"
        self.verdicts[name], self.texts[name] = verdict, text

    @property
    def failed(self) -> dict[str, str]:
        """The texts of the probes that failed."""
        return {name: self.texts[name] for name, each in self.verdicts.items() if each == "FAIL"}

    @property
    def skipped(self) -> dict[str, str]:
        """The same of those that were skipped."""
        return {name: self.texts[name] for name, each in self.verdicts.items() if each == "skip"}


def probed(*groups: Group) -> Report:
    """The report of these groups."""
    return _filled(Report(), groups)


def _filled(report: Report, groups: Iterable[Group]) -> Report:
    report.well = run_probes(groups, report.add)
    return report


def checked(notify: bool = False, **env: str) -> Report:
    """The report of everything that these settings configure."""
    report = Report()
    report.well = check(Settings.from_env(env), report.add, notify=notify)
    return report
