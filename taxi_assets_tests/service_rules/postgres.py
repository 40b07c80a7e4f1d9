"""Rules of PostgreSQL."""

from __future__ import annotations

from taxi_assets_tests.service_rules import ServiceRule

__all__ = ["RULES"]

RULES: tuple[ServiceRule, ...] = ()
