"""The name under which one check writes, in the lake and in the warehouse.

It has the time in it, so that the next check recognizes what a killed one left behind.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["PREFIX", "left_behind", "new_name"]

PREFIX: Final = "taxi_assets_check_"

# Its length leaves PostgreSQL the bytes that it needs for the names of partitions.
_NAME: Final = re.compile(rf"({PREFIX}(\d{{12}})_[0-9a-f]{{6}}).*")
_TIME: Final = "%Y%m%d%H%M"
_LONGEST_CHECK: Final = timedelta(hours=1)


def new_name() -> str:
    """A name that no other check has."""
    return f"{PREFIX}{datetime.now(UTC).strftime(_TIME)}_{uuid.uuid4().hex[:6]}"


def left_behind(names: Iterable[str]) -> list[str]:
    """Those of ``names`` that begin with the name of a check of more than an hour ago.

    A younger one may be running.
    """
    latest = (datetime.now(UTC) - _LONGEST_CHECK).strftime(_TIME)
    return [name for name in names if (found := _NAME.fullmatch(name)) and found[2] < latest]
