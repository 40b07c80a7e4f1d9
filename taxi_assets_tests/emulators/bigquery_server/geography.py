"""GEOGRAPHY from text that is loaded, of which local-bigquery knows only WKT.

https://cloud.google.com/bigquery/docs/geospatial-data: GeoJSON, WKT or hexadecimal WKB; another
text fails the job. What BigQuery makes of edges and of the orientation of rings is not modelled: a
GEOGRAPHY here is planar.
"""

from __future__ import annotations

from typing import Any

from .upstream import load

_decoded = load._decoded


def apply() -> None:
    """Apply the patch."""
    load._decoded = decoded


def decoded(expression: str, field: Any, *more: Any) -> str:
    """The expression by which a field's value is read."""
    value = str(_decoded(expression, field, *more))
    if field.type != "GEOGRAPHY" or field.mode == "REPEATED":
        return value
    return (
        f"CASE WHEN starts_with(ltrim({value}), '{{') THEN ST_GeomFromGeoJSON({value}) "
        f"WHEN regexp_full_match({value}, '[0-9A-Fa-f]+') THEN ST_GeomFromHEXWKB({value}) "
        f"ELSE ST_GeomFromText({value}) END"
    )
