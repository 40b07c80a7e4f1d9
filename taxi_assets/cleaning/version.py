"""What decides the rows of a cleaned month, as one short text.

A month whose published bytes and whose code version are unchanged is the same month: it is not
cleaned again, and nothing downstream goes stale. https://docs.dagster.io/guides/build/assets/asset-versioning-and-caching
"""

from __future__ import annotations

import hashlib
import json

from taxi_assets.datasets.spec import DatasetSpec

__all__ = ["CLEANING", "code_version", "month_version"]

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


def month_version(spec: DatasetSpec, raw_sha256: str) -> str:
    """What the rows of a month are, made from a file with that checksum by this code."""
    return f"{raw_sha256[:12]}-{code_version(spec)}"
