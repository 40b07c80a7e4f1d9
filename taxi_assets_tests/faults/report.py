"""The table of what was injected and what was found, for the terminal and for the docs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from taxi_assets_tests.faults.result import Result, Wrong

__all__ = ["page", "summary"]

_PAGE = """\
<!-- Written by `make test-faults`; edit taxi_assets_tests/faults/report.py. -->
# Reliability

`make test-faults` injects faults into runs of the real assets and looks for what must not happen.
The same seed gives the same faults. This table is of
`{command}`
with seed {seed}: {total} faults in {minutes:.0f} minutes, {findings}. Polls are how often a reader
has read the month meanwhile.

{table}

{skipped}## What is injected

- **kill**: the process is killed with SIGKILL before a file operation, before or after a database
  statement, before an HTTP request or after its response, before or after an event of Dagster, and
  at random instants. Then the month is read, run again and read again.
- **race**: two or four processes run one month at once, which TLC reissues meanwhile, each with a
  home of its own or all in one.
- **reissue under readers**: the month is reissued again and again. In this and in races three
  readers poll it: the lake and the warehouse with their own clients, and the lake with the
  package's reader.
- **full disk**: one folder is on a small file system with a few pages left. The run must fail in
  one line that names the disk, the old month stays, and with space the next run succeeds.
- **hostile server**, **hostile file**: servers that break HTTP's rules or never end, and mutated or
  hand-made Parquet files. Each must end within bounds, in success or in one named line.
- **fault on the way**: a proxy in front of each stand-in cuts a connection before, in or after a
  request or in its answer, delays it, is silent, or answers 429, 500, 503, or 404 and 410 of an
  upload session; once, or from then on. Puts, copies, downloads, lists, loads and reads of each
  store and warehouse have it at each of their requests. The operation must succeed, or fail within
  a minute with a transient error, which does not blame another run and says "nothing was stored"
  only if nothing was; and the same operation must then succeed.
- **canary**: a secret in each setting that can hold one, and a run that fails. It must not be in
  any message, log, record, page or file.
- **reissues A, B, A, B by the daemon**: Dagster's daemon runs the sensor. Each version is loaded,
  in one run, and no tick says anything that is not true at that time.

A loss of power is not injected. Files of a local lake are synced before they are renamed; DuckDB,
PostgreSQL and the cloud stores sync what they have confirmed.

## How it is checked

Three versions of one month take turns. They have no row in common and all have rejects, so any
mixture shows. Readers use the stores' own clients, not the code under test, and compare digests of
all rows with those of a month cleaned outside any store.

| finding | |
|---|---|
| rows lost, rows doubled | the month is not one version row for row, or the next run fails |
| mixed months | rows of two versions, in one table or in trips and rejects |
| months refused | a stored month that a reader cannot read |
| hangs | a process does not end within two minutes, or waits for more than one on the way |
| unnamed errors | a failure that is not one line with what happened and what to do |
| canaries | a planted secret in a message, log, record or file |
| files left | a file, object or table of a killed run that is there after the next two runs |
| false statements | a version that cannot be there, or a reason or an error that is not true |

In BigQuery trips and rejects are loaded by two jobs. Readers there must compare the versions in
`loaded_months`, as the harness does: until both agree, the pair is not a month.
"""


def summary(results: Sequence[Result], seed: int, seconds: float) -> str:
    """The table and a last line for a terminal."""
    total = sum(not each.skipped for each in results)
    found = sum(len(each.findings) for each in results)
    last = f"{total} faults with seed {seed} in {seconds:.0f} s: {found} findings"
    return "\n".join([*_table(results), last])


def page(results: Sequence[Result], seed: int, seconds: float, arguments: str = "") -> str:
    """The text of ``docs/reliability.md``; ``arguments`` are those of the command."""
    found = sum(len(each.findings) for each in results)
    skipped = [
        f"Not injected: {each.kind} on {each.stores}, because {each.skipped}.\n"
        for each in results
        if each.skipped
    ]
    return _PAGE.format(
        seed=seed,
        command=f'make test-faults ARGS="{arguments}"' if arguments else "make test-faults",
        total=sum(not each.skipped for each in results),
        minutes=seconds / 60,
        findings=f"{found} findings" if found else "nothing found",
        table="\n".join(_table(results)),
        skipped="".join(f"{line}\n" for line in skipped),
    )


def _table(results: Sequence[Result]) -> Iterator[str]:
    yield "| fault | stores | injected | polls | " + " | ".join(Wrong) + " |"
    yield "|---|---|---|---|" + "---|" * len(Wrong)
    rows: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        rows[result.kind, result.stores].append(result)
    for (kind, stores), those in sorted(rows.items()):
        injected = sum(not each.skipped for each in those)
        polls = sum(each.polls for each in those)
        counts = Counter(found.wrong for each in those for found in each.findings)
        cells = [kind, stores, str(injected), str(polls or "")]
        yield f"| {' | '.join([*cells, *(str(counts[wrong]) for wrong in Wrong)])} |"
