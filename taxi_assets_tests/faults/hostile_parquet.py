"""Mutated and hand-made Parquet files, seeded, and what becomes of them when they are cleaned.

    python -m taxi_assets_tests.faults.hostile_parquet --seed 1 --count 100

A case must end in trips and rejects that are as many as the footer says, or in one line by an error
of this package, without files left. The engines read the files in this process, which a damaged
file may end: run a case in a process of its own, or all of them in one whose end is checked.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from taxi_assets.cleaning import clean_month
from taxi_assets.datasets import dataset
from taxi_assets.datasets.month import Month
from taxi_assets.errors import TaxiAssetsError
from taxi_assets.simulator.months import write_month
from taxi_assets_tests.faults.handmade_parquet import ARRAYS, LAYOUTS, ROWS, with_column

__all__ = ["Case", "Outcome", "cases", "run_case", "wrong"]

MONTH = Month(2024, 1)
_REPLACED = ("VendorID", "trip_distance", "lpep_pickup_datetime", "store_and_fwd_flag")
_TAIL = 8  # the length of the footer, and PAR1
_COUNTS = (0, 1, ROWS - 1, ROWS + 1, 127, 2**31 - 1, 2**31, 2**40, 2**62, -1, -(2**31))


@dataclass(frozen=True, slots=True)
class Case:
    """A file, which ``write`` writes to the given path."""

    name: str
    write: Callable[[Path], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a case ended: ``named_error`` is the class of its error, ``rows_ok`` whether all
    published rows are in one of the two files; ``files_left`` are those of a failed case.
    """

    name: str
    named_error: str | None
    rows_ok: bool
    message: str
    files_left: Sequence[str]


def cases(seed: int, count: int) -> Iterator[Case]:
    """``count`` files, the same for a seed: at most half of them made by hand."""
    rng = random.Random(seed)
    made = [Case(f"layout: {name}", partial(_laid_out, name)) for name in LAYOUTS] + [
        Case(f"{column}: {name}", partial(_replaced, column, name))
        for column in _REPLACED
        for name in ARRAYS
    ]
    chosen = rng.sample(made, min(len(made), count // 2))
    yield from chosen
    for number in range(count - len(chosen)):
        kind = rng.choice(list(_MUTATIONS))
        one = f"{seed}-{number}"
        yield Case(f"{kind} {one}", partial(_mutated, kind, one))


def run_case(case: Case) -> Outcome:
    """Clean the case's file; raises what no case may raise."""
    with tempfile.TemporaryDirectory() as scratch:
        source, folder = Path(scratch, "green_tripdata_2024-01.parquet"), Path(scratch, "cleaned")
        case.write(source)
        try:
            cleaned = clean_month(dataset("green"), MONTH, source, folder)
        except TaxiAssetsError as error:
            left = sorted(path.name for path in folder.rglob("*"))
            return Outcome(case.name, type(error).__name__, False, str(error), left)
        except Exception as error:  # noqa: BLE001 - which one it is is what is examined
            return Outcome(case.name, f"{type(error).__qualname__}", False, repr(error), [])
        rows = sum(pq.read_table(path).num_rows for path in (cleaned.trips, cleaned.rejects))
        published = pq.read_metadata(source).num_rows
        left = sorted(
            {path.name for path in folder.iterdir()} - {"trips.parquet", "rejects.parquet"}
        )
        counts = cleaned.counts
        agreed = rows == published == counts.published == counts.clean + counts.rejected
        return Outcome(case.name, None, agreed, f"{published} published, {rows} cleaned", left)


def wrong(outcome: Outcome) -> str | None:
    """What must not have happened, in one line; None if all is as it must be."""
    if outcome.files_left:
        return f"left {', '.join(outcome.files_left)}"
    if outcome.named_error is None:
        return None if outcome.rows_ok else outcome.message
    if not outcome.message.isprintable() or len(outcome.message) > 3_000:
        return f"a message of {len(outcome.message)} characters: {outcome.message[:200]!r}"
    if outcome.named_error not in _NAMED:
        return f"{outcome.named_error}: {outcome.message[:200]}"
    return None if "green_tripdata_2024-01.parquet" in outcome.message else "the file is not named"


_NAMED = {"CorruptDownload", "SchemaMismatch", "UncastableValue", "Misconfigured"}


@cache
def _month(rows: int = ROWS) -> pa.Table:
    with tempfile.TemporaryDirectory() as folder:
        write_month("green", MONTH, Path(folder, "x.parquet"), rows=rows)
        return pq.read_table(Path(folder, "x.parquet"))


def _laid_out(name: str, path: Path) -> None:
    LAYOUTS[name](_month(), path)


def _replaced(column: str, name: str, path: Path) -> None:
    with_column(column, ARRAYS[name], _month(), path)


def _mutated(kind: str, seed: str, path: Path) -> None:
    """A good file, written in one of many ways, with one mutation."""
    rng = random.Random(seed)
    pq.write_table(
        _month(),
        path,
        compression=rng.choice(["none", "snappy", "gzip", "zstd", "lz4", "brotli"]),
        use_dictionary=rng.choice([True, False]),
        data_page_version=rng.choice(["1.0", "2.0"]),
        row_group_size=rng.choice([ROWS, ROWS // 3]),
        write_page_index=rng.choice([True, False]),
    )
    content = bytearray(path.read_bytes())
    footer = len(content) - _TAIL - int.from_bytes(content[-_TAIL:-4], "little")
    _MUTATIONS[kind](rng, content, footer)
    path.write_bytes(content)


def _flip(rng: random.Random, content: bytearray, start: int, end: int) -> None:
    for _ in range(rng.choice([1, 1, 2, 8])):
        content[rng.randrange(start, end)] ^= 1 << rng.randrange(8)


def _bits_of_footer(rng: random.Random, content: bytearray, footer: int) -> None:
    _flip(rng, content, footer, len(content) - _TAIL)


def _bits_of_pages(rng: random.Random, content: bytearray, footer: int) -> None:
    _flip(rng, content, 4, footer)


def _zeroes(rng: random.Random, content: bytearray, footer: int) -> None:
    start = rng.randrange(4, footer)
    size = min(rng.randrange(1, 200), footer - start)
    content[start : start + size] = bytes(size)


def _cut(rng: random.Random, content: bytearray, footer: int) -> None:
    start = rng.randrange(4, footer)
    del content[start : min(start + rng.randrange(1, 200), footer)]


def _exchanged(rng: random.Random, content: bytearray, footer: int) -> None:
    size = rng.randrange(8, 100)
    one, other = rng.randrange(4, footer - size), rng.randrange(4, footer - size)
    saved = content[one : one + size]
    content[one : one + size] = content[other : other + size]
    content[other : other + size] = saved


def _end(rng: random.Random, content: bytearray, footer: int) -> None:
    del content[rng.randrange(footer, len(content)) :]


def _tail(rng: random.Random, content: bytearray, footer: int) -> None:
    size = rng.choice([0, 1, len(content) - footer - _TAIL - 1, len(content), 2**31, 2**32 - 1])
    content[-_TAIL:-4] = size.to_bytes(4, "little")


def _counts(rng: random.Random, content: bytearray, footer: int) -> None:
    """Another number for one of the footer's 64-bit fields, which are counts, sizes and offsets."""
    body = content[footer:-_TAIL]
    fields = [at for at, each in enumerate(body[:-1]) if each == 0x16]
    for at in rng.sample(fields, min(len(fields), rng.choice([1, 1, 2]))):
        end = at + 1
        while end < len(body) - 1 and body[end] & 128:
            end += 1
        body[at + 1 : end + 1] = _varint(rng.choice(_COUNTS))
    content[footer:] = bytes(body) + len(body).to_bytes(4, "little") + b"PAR1"


def _varint(number: int) -> bytes:
    """As Thrift's compact protocol writes integers."""
    rest = (number << 1) ^ (number >> 63)
    found = bytearray()
    while rest > 127:
        found.append(rest & 127 | 128)
        rest >>= 7
    return bytes([*found, rest])


_MUTATIONS: dict[str, Callable[[random.Random, bytearray, int], None]] = {
    "bits of the footer": _bits_of_footer,
    "bits of pages": _bits_of_pages,
    "zeroes": _zeroes,
    "cut": _cut,
    "exchanged": _exchanged,
    "end": _end,
    "tail": _tail,
    "counts": _counts,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    asked = parser.parse_args()
    for case in cases(asked.seed, asked.count):
        sys.stdout.write(f"{case.name}\n")  # before it runs, so that the last line is the culprit
        sys.stdout.flush()
        sys.stdout.write(json.dumps(asdict(run_case(case))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
