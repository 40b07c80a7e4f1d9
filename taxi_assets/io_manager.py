"""The base of the lake's and the warehouse's IO manager: values by the input's annotation.

https://docs.dagster.io/guides/build/io-managers. An input receives the type it is annotated with,
or one value per partition if it is annotated ``dict[str, <type>]``:

    pandas.DataFrame, pyarrow.Table, pyarrow.RecordBatchReader     the rows
    pathlib.Path                                                   a local Parquet file
    a handle of the IO manager                                     a reference, without download

``AssetIn(metadata={"columns": [...]})`` selects columns of rows, and ``{"part": "rejects"}`` a
month's rejects. An asset returns any of these; in a run over several partitions, a ``dict`` with
one value per partition.
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
    """What an input requests: partitions of an asset (``None``: it is unpartitioned), columns
    (``None``: all), and trips or rejects.
    """

    path: Sequence[str]
    partitions: Sequence[str] | None
    columns: Sequence[str] | None = None
    part: Part = Part.TRIPS

    @property
    def asset(self) -> str:
        """The asset's key as text, such as ``green/lake_trips``."""
        return "/".join(self.path)

    def one(self, form: type) -> str | None:
        """The requested partition; raises ``Misconfigured`` if there are several."""
        if self.partitions is not None and len(self.partitions) != 1:
            raise Misconfigured(
                f"{form.__name__} is one object and {len(self.partitions)} partitions of "
                f"{self.asset} were requested.",
                f"Annotate the input as dict[str, {form.__name__}].",
            )
        return self.partitions[0] if self.partitions else None


class AssetIOManager(dg.IOManager):
    """Loads rows, files and handles for assets, and stores what assets return.

    ``handles`` are the accepted annotations besides rows and paths. Errors are translated by
    ``failures``.
    """

    handles: ClassVar[tuple[type, ...]] = ()

    @abstractmethod
    def rows(self, wanted: Wanted, form: Any) -> Rows:
        """The requested rows as a frame, a table or a stream of batches."""

    @abstractmethod
    def local_file(self, wanted: Wanted) -> Path:
        """A local Parquet file with the requested rows."""

    @abstractmethod
    def handle(self, wanted: Wanted, form: type) -> Any:
        """The handle of type ``form``."""

    @abstractmethod
    def store(self, path: Sequence[str], partition: str | None, value: Any) -> Mapping[str, Any]:
        """Store the value; returns the metadata to record."""

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
            metadata = [
                self.store(path, partition, value)
                for partition, value in _by_partition("/".join(path), obj, partitions)
            ]
            if len(metadata) == 1:  # Dagster records it for every partition of the run
                context.add_output_metadata(dict(metadata[0]))

    def _load(self, wanted: Wanted, form: Any) -> Any:
        if form is Path:
            return self.local_file(wanted)
        if form in self.handles:
            return self.handle(wanted, form)
        return self.rows(wanted, form)

    def _form_per_partition(self, wanted: Wanted, form: Any) -> Any | None:
        """The ``X`` of ``dict[str, X]``; ``None`` for a type that holds all partitions together."""
        if wanted.partitions is not None and not wanted.partitions:
            raise ObjectMissing(
                f"The input {wanted.asset} maps to no partition in this run.",
                "Check its partition mapping.",
            )
        each = get_args(form)[1] if get_origin(form) is dict else None
        if each is not None and wanted.partitions is None:
            raise Misconfigured(
                f"The input {wanted.asset} is annotated as a dict, but has no partitions.",
                "Annotate it with the type of the dict's values.",
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
    """Split an asset's ``value`` by the partitions of its run.

    Raises ``Misconfigured`` for several partitions without a ``dict`` of exactly their keys,
    because rows of several partitions must not be stored as one.
    """
    if partitions is None:
        return [(None, value)]
    if isinstance(value, dict):
        if set(value) != set(partitions):
            raise Misconfigured(
                f"{asset} returned values for {', '.join(map(str, value)) or 'no partition'} in a "
                f"run over {', '.join(partitions)}.",
                "Return one value for each partition of the run.",
            )
        return [(each, value[each]) for each in partitions]
    if len(partitions) != 1:
        raise Misconfigured(
            f"{asset} returned one {type(value).__name__} in a run over {len(partitions)} "
            f"partitions ({partitions[0]} to {partitions[-1]}).",
            "Return a dict with a value per partition, or remove the asset's backfill policy, so "
            "that each partition is a run.",
        )
    return [(partitions[0], value)]
