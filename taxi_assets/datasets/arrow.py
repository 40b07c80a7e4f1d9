"""The Arrow type of each canonical type."""

from __future__ import annotations

import pyarrow as pa

from taxi_assets.datasets.spec import Type

__all__ = ["ARROW"]

ARROW: dict[Type, pa.DataType] = {
    Type.INTEGER: pa.int64(),
    Type.FLOAT: pa.float64(),
    Type.STRING: pa.string(),
    Type.TIMESTAMP: pa.timestamp("us"),
    Type.DATE: pa.date32(),
    Type.BOOLEAN: pa.bool_(),
}
