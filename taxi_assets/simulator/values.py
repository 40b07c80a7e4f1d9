"""Generated columns: numpy values with NULLs and words, random draws, conversion to Arrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

__all__ = [
    "Codes",
    "Floats",
    "Frame",
    "Integers",
    "Mask",
    "Values",
    "a_few",
    "cents",
    "chance",
    "pick",
]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int8]
Mask = npt.NDArray[np.bool_]

_TIMESTAMP_TEXT = "%Y-%m-%d %H:%M:%S"


@dataclass(slots=True)
class Values:
    """One generated column.

    ``data`` holds numbers; for text, indices into ``words``; for times, seconds since 1970 on the
    New York wall clock. ``nulls`` is true where the value is NULL.
    """

    data: npt.NDArray[Any]
    nulls: Mask | None = None
    words: tuple[str, ...] | None = None
    is_time: bool = False

    def copy_rows(self, source: Integers, target: Integers) -> None:
        """Overwrite the rows at ``target`` with those at ``source``."""
        self.data[target] = self.data[source]
        if self.nulls is not None:
            self.nulls[target] = self.nulls[source]

    def to_arrow(self, kind: pa.DataType) -> pa.Array:
        """The column as ``kind``; a null-typed column has no values."""
        if pa.types.is_null(kind):
            return pa.nulls(len(self.data))
        if self.words is not None:
            indices = pa.array(self.data, type=pa.int8(), mask=self.nulls)
            return pa.array(self.words, type=kind).take(indices)
        if self.is_time:
            return self._times(kind)
        # from_pandas=False: a NaN would be a bug here, not a NULL.
        return pa.array(
            self.data.astype(kind.to_pandas_dtype(), copy=False), mask=self.nulls, from_pandas=False
        )

    def _times(self, kind: pa.DataType) -> pa.Array:
        if pa.types.is_timestamp(kind):
            micros = self.data * 1_000_000
            return pa.array(micros.view("datetime64[us]"), mask=self.nulls)
        times = pa.array(self.data.view("datetime64[s]"), mask=self.nulls)
        return pc.strftime(times, format=_TIMESTAMP_TEXT).cast(kind)


Frame = dict[str, Values]


def pick(rng: np.random.Generator, count: int, shares: Sequence[float]) -> Codes:
    """``count`` indices into ``shares``, each drawn in proportion to its share."""
    edges = np.cumsum(shares, dtype=np.float64)
    edges = (edges / edges[-1])[:-1].astype(np.float32)
    drawn = rng.random(count, dtype=np.float32)
    picked = np.zeros(count, dtype=np.int8)
    for edge in edges:
        picked += drawn >= edge
    return picked


def chance(rng: np.random.Generator, count: int, share: float) -> Mask:
    """True for about ``share`` of ``count`` rows."""
    drawn: Mask = rng.random(count, dtype=np.float32) < share
    return drawn


def a_few(rng: np.random.Generator, count: int, share: float, at_least: int) -> Integers:
    """Distinct row numbers: ``share`` of all, but ``at_least`` so many.

    A file of fewer than ten times ``at_least`` rows gets none.
    """
    if count < 10 * at_least:
        return np.empty(0, dtype=np.int64)
    return np.sort(rng.choice(count, size=max(at_least, round(count * share)), replace=False))


def cents(amounts: npt.NDArray[Any]) -> Floats:
    """Amounts rounded to whole cents (also miles to hundredths)."""
    rounded: Floats = np.rint(amounts * 100.0) / 100.0
    # Turns -0.0 into 0.0.
    return rounded + 0.0
