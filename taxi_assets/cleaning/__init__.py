"""Cleaning: a published file becomes clean and rejected rows, as its specification defines.

The code holds no fact about a dataset, and needs neither Dagster nor the network. After a change
that alters cleaned rows, raise ``CLEANING`` in ``version``.
"""

from taxi_assets.cleaning.counts import MonthCounts
from taxi_assets.cleaning.engine import CleanedMonth, clean_month
from taxi_assets.cleaning.mapping import published_names
from taxi_assets.cleaning.published import published_types
from taxi_assets.cleaning.version import code_version

__all__ = [
    "CleanedMonth",
    "MonthCounts",
    "clean_month",
    "code_version",
    "published_names",
    "published_types",
]
