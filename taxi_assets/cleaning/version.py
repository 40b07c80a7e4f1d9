"""What of the code decides the rows of a cleaned month, as one short text.

It is the code version of ``clean_trips`` and a part of every month's version (``versions``).
https://docs.dagster.io/guides/build/assets/asset-versioning-and-caching
"""

from __future__ import annotations

import hashlib
import json

from taxi_assets.datasets.spec import DatasetSpec

__all__ = ["CLEANING", "code_version"]

CLEANING = 1
"""Number of the cleaning itself. Raise it when the rows of some month change although no
specification did; ``taxi_assets_tests/cleaning/test_golden.py`` fails until you do, and if you do
without need: every month of every lake is cleaned again for it."""


def code_version(spec: DatasetSpec) -> str:
    """A digest of the parts of ``spec`` that decide values, and of ``CLEANING``.

    Columns by name, type, published names and codes; rules by name, action, condition and
    thresholds. Descriptions, units, links, and bounds of an audit decide no value.
    """
    parts = {
        "cleaning": CLEANING,
        "pickup": spec.pickup,
        "columns": [
            [column.name, column.type, column.published_as, sorted(column.codes.items())]
            for column in spec.columns
        ],
        "rules": [
            [rule.name, rule.action, rule.condition, sorted(rule.thresholds.items())]
            for rule in spec.rules
        ],
    }
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]
