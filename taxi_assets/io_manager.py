"""What the lake's and the warehouse's IO manager share: what an input's annotation asks for.

https://docs.dagster.io/guides/build/io-managers. An input annotated with one of these gets it;
annotated ``dict[str, one of these]``, it gets one per partition:

    pandas.DataFrame, pyarrow.Table, pyarrow.RecordBatchReader     the rows
    pathlib.Path                                                   a local Parquet file
    a handle of the manager's own                                  what is there; no download

``AssetIn(metadata={"columns": [...]})`` chooses columns of rows, ``{"part": "rejects"}`` a
month's rejects. An asset returns any of these; in a run over several partitions, a ``dict`` with
one per partition.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, get_args, get_origin

import dagster as dg
from typing_extensions import override

from taxi_assets.datasets.stored import Part
from taxi_assets.errors import Misconfigured, ObjectMissing
from taxi_assets.failures import translated_errors
from taxi_assets.frames import Rows, is_rows

__all__ = ["AssetIOManager", "Wanted"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: partitions of an asset (``None``: it has none), columns (``None``: all)
    and a part of it.
    """

    path: Sequence[str]
    partitions: Sequence[str] | None
    columns: Sequence[str] | None = None
    part: Part = Part.TRIPS

    @property
    def asset(self) -> str:
        """The asset's name for people, ``green/lake_trips``."""
        return "/".join(self.path)

    def one(self, form: type) -> str | None:
        """The one partition asked for; raises ``Misconfigured`` when there are several."""
        if self.partitions is not None and len(self.partitions) != 1:
            raise Misconfigured(
                f"{form.__name__} is one object and {len(self.partitions)} partitions of "
                f"{self.asset} were asked for.",
                f"Annotate the input dict[str, {form.__name__}].",
            )
        return self.partitions[0] if self.partitions else None


class AssetIOManager(dg.IOManager):
    """Brings rows, files and handles to assets, and takes them from assets.

    ``handles`` are the annotations beyond rows and paths. Errors of this package reach Dagster
    as ``failures`` has it.
    """

    handles: ClassVar[tuple[type, ...]] = ()

    @abstractmethod
    def rows(self, wanted: Wanted, form: Any) -> Rows:
        """The rows asked for, as a frame, a table or a stream of batches."""

    @abstractmethod
    def local_file(self, wanted: Wanted) -> Path:
        """A Parquet file on this disk with the rows asked for."""

    @abstractmethod
    def handle(self, wanted: Wanted, form: type) -> Any:
        """The handle of type ``form``."""

    @abstractmethod
    def store(self, path: Sequence[str], partition: str | None, value: Any) -> Mapping[str, Any]:
        """Put the value in its place; the metadata to record of it."""

    @override
    def load_input(self, context: dg.InputContext) -> Any:
        with translated_errors(context):
            metadata = context.definition_metadata
            wanted = Wanted(
                context.asset_key.path,
                context.asset_partition_keys if context.has_asset_partitions else None,
                metadata.get("columns"),
                Part(metadata.get("part", Part.TRIPS)),
            )
            form = context.dagster_type.typing_type
            each = self._form_per_partition(wanted, form)
            if each is None:
                return self._load(wanted, form)
            return {
                partition: self._load(
                    Wanted(wanted.path, [partition], wanted.columns, wanted.part), each
                )
                for partition in wanted.partitions or ()
            }

    @override
    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        with translated_errors(context):
            partitions = context.asset_partition_keys if context.has_asset_partitions else None
            path = context.asset_key.path
            told = [
                self.store(path, partition, value)
                for partition, value in _by_partition("/".join(path), obj, partitions)
            ]
            if len(told) == 1:  # what is said here, Dagster says of every partition of the run
                context.add_output_metadata(dict(told[0]))

    def _load(self, wanted: Wanted, form: Any) -> Any:
        if form is Path:
            return self.local_file(wanted)
        if form in self.handles:
            return self.handle(wanted, form)
        return self.rows(wanted, form)

    def _form_per_partition(self, wanted: Wanted, form: Any) -> Any | None:
        """The ``X`` of ``dict[str, X]``; ``None`` for a form that takes all partitions together."""
        if wanted.partitions is not None and not wanted.partitions:
            raise ObjectMissing(
                f"No partition of {wanted.asset} belongs to this run.",
                "See the input's partition mapping.",
            )
        each = get_args(form)[1] if get_origin(form) is dict else None
        if each is not None and wanted.partitions is None:
            raise Misconfigured(
                f"The input {wanted.asset} is annotated as a dict, but has no partitions.",
                "Annotate it with what the dict was to hold.",
            )
        if not is_rows(each or form) and (each or form) not in (Path, *self.handles):
            raise _unknown_form(wanted.asset, each or form, self.handles)
        return each


def _unknown_form(asset: str, form: Any, handles: Sequence[type]) -> Misconfigured:
    accepted = ["pandas.DataFrame", "pyarrow.Table", "pyarrow.RecordBatchReader", "pathlib.Path"]
    accepted += [each.__name__ for each in handles]
    return Misconfigured(
        f"The input {asset} is annotated {getattr(form, '__name__', form)}.",
        f"Annotate it with one of {', '.join(accepted)}, or with dict[str, one of these] for a "
        "value per partition.",
    )


def _by_partition(
    asset: str, value: Any, partitions: Sequence[str] | None
) -> list[tuple[str | None, Any]]:
    """Which part of an asset's ``value`` is stored for which partition of its run.

    Raises ``Misconfigured`` for several partitions without a ``dict`` of exactly their keys: rows
    that nobody has told apart must not all go to one place.
    """
    if partitions is None:
        return [(None, value)]
    if isinstance(value, dict):
        if set(value) != set(partitions):
            raise Misconfigured(
                f"{asset} returned values for {', '.join(map(str, value)) or 'no partition'} in a "
                f"run over {', '.join(partitions)}.",
                "Return one for each of these.",
            )
        return [(each, value[each]) for each in partitions]
    if len(partitions) != 1:
        raise Misconfigured(
            f"{asset} returned one {type(value).__name__} in a run over {len(partitions)} "
            f"partitions ({partitions[0]} to {partitions[-1]}).",
            "Return a dict with a value per partition, or give the asset no backfill policy, so "
            "that each partition is a run.",
        )
    return [(partitions[0], value)]
