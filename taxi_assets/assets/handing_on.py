"""What an asset materializes that stores the month it was given somewhere else.

The IO manager of the asset does the storing; the rows, and so the version, stay the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg

from taxi_assets.assets import presentation
from taxi_assets.lake import attributes
from taxi_assets.lake.handles import LakeValue, StoredMonth, redone

__all__ = ["handed_on"]


def handed_on(
    month: StoredMonth,
    upstream: dg.AssetKey,
    *,
    redo: bool,
    joined: Mapping[str, dg.TableColumnDep] | None = None,
) -> dg.MaterializeResult[LakeValue]:
    """The result of an asset that hands on ``month`` of ``upstream``.

    ``joined`` are the columns of other tables that its columns refer to.
    """
    url = month.trips.object.attributes.get(attributes.SOURCE_URL)
    return dg.MaterializeResult(
        value=redone(month, redo),
        data_version=dg.DataVersion(month.version),
        metadata={
            "dagster/column_schema": presentation.column_schema(month.spec),
            "dagster/column_lineage": presentation.same_columns(month.spec, upstream, joined or {}),
            **presentation.links(month.spec, url),
        },
    )
