"""Compare what a reader saw with the versions of the month, and name what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from taxi_assets_tests.faults.months import Rows, Version
from taxi_assets_tests.faults.result import Finding, Wrong

__all__ = ["judge"]


def judge(
    where: str,
    seen: tuple[Rows, Rows] | None,
    versions: Mapping[str, Version],
    allowed: Iterable[str],
) -> tuple[str, list[Finding]]:
    """The version that was seen (``none``: no month, ``?``: no version), and what is wrong.

    ``allowed`` are the names of the versions that may be there, with ``none``.
    """
    trips, rejects = seen or (Rows(), Rows())
    if not trips and not rejects:
        name = "none"
    else:
        for version in versions.values():
            if (trips, rejects) == (version.trips, version.rejects):
                name = version.name
                break
        else:
            return "?", [_wrong(where, trips, rejects, versions)]
    if name in allowed:
        return name, []
    lost = Wrong.LOST if name == "none" else Wrong.FALSE
    return name, [Finding(lost, f"{where}: {name}, and only {sorted(allowed)} could be there")]


def _wrong(where: str, trips: Rows, rejects: Rows, versions: Mapping[str, Version]) -> Finding:
    of_trips = {v.name for v in versions.values() if trips & v.trips}
    of_rejects = {v.name for v in versions.values() if rejects & v.rejects}
    detail = (
        f"{where}: {trips.total()} trips of {'+'.join(sorted(of_trips)) or 'no version'}, "
        f"{rejects.total()} rejects of {'+'.join(sorted(of_rejects)) or 'no version'}"
    )
    if len(of_trips | of_rejects) > 1:
        return Finding(Wrong.MIXED, detail)
    if max([*trips.values(), *rejects.values()]) > 1:
        return Finding(Wrong.DOUBLED, detail)
    return Finding(Wrong.LOST, detail)
