"""The code version of ``clean_trips``, which is also part of every month's version (``versions``).

https://docs.dagster.io/guides/build/assets/asset-versioning-and-caching
"""

from __future__ import annotations

import hashlib
import json

from taxi_assets.datasets.spec import DatasetSpec

__all__ = ["CLEANING", "code_version"]

CLEANING = 2
"""Version of the cleaning code. Raise it when cleaned rows change without a change of the
specification; ``taxi_assets_tests/cleaning/test_golden.py`` fails until you do. It also fails if
you raise it without need, because every month of every lake would be cleaned again."""


def code_version(spec: DatasetSpec) -> str:
    """A digest of ``CLEANING`` and of the parts of ``spec`` that affect cleaned rows.

    These are the name, type, published names, codes and NULLs of the columns, and the name, action,
    condition and thresholds of the rules. Descriptions, units, links and limits are not included.
    """
    parts = {
        "cleaning": CLEANING,
        "pickup": spec.pickup,
        "columns": [
            [
                column.name,
                column.type,
                column.published_as,
                sorted(column.codes.items()),
                column.nulls,
            ]
            for column in spec.columns
        ],
        "rules": [
            [rule.name, rule.action, rule.condition, sorted(rule.thresholds.items())]
            for rule in spec.rules
        ],
    }
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]
