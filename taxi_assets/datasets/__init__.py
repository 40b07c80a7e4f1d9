"""What TLC publishes, as data: one specification per dataset, and nothing about Dagster.

Belongs here: columns, their names in every era, types, units, meanings, rules, first months.
Does not: how a file is fetched (``tlc``), cleaned (``cleaning``) or stored.

``python -m taxi_assets.datasets`` prints it all as Markdown, which is ``docs/datasets.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from taxi_assets.datasets.fhv import FHV
from taxi_assets.datasets.fhvhv import FHVHV
from taxi_assets.datasets.green import GREEN
from taxi_assets.datasets.month import Month, months_between, parse_months
from taxi_assets.datasets.spec import Action, Column, DatasetSpec, Rule, Type
from taxi_assets.datasets.yellow import YELLOW
from taxi_assets.datasets.zones import TAXI_ZONE_COLUMNS

__all__ = [
    "DATASETS",
    "TAXI_ZONE_COLUMNS",
    "Action",
    "Column",
    "DatasetSpec",
    "Month",
    "Rule",
    "Type",
    "dataset",
    "months_between",
    "parse_months",
]

DATASETS: Final[Mapping[str, DatasetSpec]] = MappingProxyType(
    {spec.name: spec for spec in (YELLOW, GREEN, FHV, FHVHV)}
)


def dataset(name: str) -> DatasetSpec:
    """The specification of the dataset called ``name``.

    Raises ``ValueError`` with the names there are, for a person to choose from.
    """
    try:
        return DATASETS[name]
    except KeyError:
        raise ValueError(f"{name!r} is not a dataset; use one of {', '.join(DATASETS)}") from None
