"""The Arrow type of each canonical type."""

from __future__ import annotations

import pyarrow as pa

from taxi_assets.datasets.spec import Type

__all__ = ["ARROW", "GEOARROW"]

ARROW: dict[Type, pa.DataType] = {
    Type.INTEGER: pa.int64(),
    Type.FLOAT: pa.float64(),
    Type.STRING: pa.string(),
    Type.TIMESTAMP: pa.timestamp("us"),
    Type.DATE: pa.date32(),
    Type.BOOLEAN: pa.bool_(),
    Type.GEOGRAPHY: pa.string(),  # as each engine reads it; in the lake it is ``GEOARROW``
}

# The metadata of a binary field that holds outlines as WKB:
# https://geoarrow.org/extension-types
GEOARROW: dict[bytes, bytes] = {b"ARROW:extension:name": b"geoarrow.wkb"}
