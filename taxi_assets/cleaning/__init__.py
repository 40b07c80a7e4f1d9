"""A published file becomes clean rows and rejected rows, by its dataset's specification.

Belongs here: mapping columns, casting, rules, the streaming DuckDB run. Does not: any fact about
a dataset (``datasets``), the network (``tlc``), Dagster.
"""

from taxi_assets.cleaning.counts import MonthCounts
from taxi_assets.cleaning.engine import CleanedMonth, clean_month
from taxi_assets.cleaning.mapping import published_names
from taxi_assets.cleaning.version import code_version

__all__ = [
    "CleanedMonth",
    "MonthCounts",
    "clean_month",
    "code_version",
    "published_names",
]
