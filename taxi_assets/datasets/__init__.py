"""The specifications: one per dataset, with its columns, rules and first month.

When TLC changes a file, edit the dataset's module. ``python -m taxi_assets.datasets`` prints the
specifications as Markdown, which is ``docs/datasets.md``.
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
from taxi_assets.datasets.zones import TAXI_ZONE_COLUMNS, ZONE_FILES, ZONES_VERSION

__all__ = [
    "DATASETS",
    "TAXI_ZONE_COLUMNS",
    "ZONES_VERSION",
    "ZONE_FILES",
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

    Raises ``ValueError`` with the valid names.
    """
    try:
        return DATASETS[name]
    except KeyError:
        raise ValueError(f"{name!r} is not a dataset; use one of {', '.join(DATASETS)}") from None
