"""A published file becomes clean rows and rejected rows, by its dataset's specification.

Belongs here: mapping columns, casting, rules, the streaming DuckDB run. Does not: any fact about
a dataset (``datasets``), the network (``tlc``), Dagster.
"""

from taxi_assets.cleaning.engine import CleanedMonth, clean_month

__all__ = ["CleanedMonth", "clean_month"]
