"""Cursors that are not a sensor's own: set by hand, damaged, of another sensor or release."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

__all__ = ["FOREIGN", "garbage"]

_STATUS = "RunStatusSensorCursor"

FOREIGN = [
    "", " ", "nonsense", "null", "true", "3", "-1", "NaN", "1e999", "[]", "{}", '"text"', "\0",
    "[" * 100_000, '{"a":' * 100_000, "9" * 5_000, "\ud800",
    '{"position": null, "requested": null}',
    '{"position": null, "requested": ["2024-01"]}',
    '{"position": 3, "requested": {}}',
    '{"position": "x", "requested": {}}',
    '{"position": "0000-01", "requested": {}}',
    '{"position": "9999-12", "requested": {}}',
    '{"position": null, "requested": {"0000-01": "green:0000-01:a:first"}}',
    '{"position": null, "requested": {"9999-12": "green:9999-12:a:first"}}',
    '{"position": null, "requested": {"99999-01": "green:99999-01:a:first"}}',
    '{"position": null, "requested": {"January": "a"}}',
    '{"position": null, "requested": {"2014-01": "a"}}',
    '{"position": null, "requested": {"2014-01": null}}',
    '{"position": null, "requested": {"2014-01": {"green": 1}}}',
    '{"position": null, "requested": {"2014-01": "green:2014-02:a:first"}}',
    '{"position": "2009-01", "requested": {"2014-01": "yellow:2014-01:a:first"}}',
    '{"form": 1, "position": null, "asked": {}}',
    '{"green": "many", "yellow": null, "fhv": [1], "fhvhv": {"a": 1}}',
    '{"green": -5, "yellow": 1.5, "fhv": true, "fhvhv": 999999999999999999999999}',
    '{"green": 999999999, "yellow": 999999999, "fhv": 999999999, "fhvhv": 999999999}',
    '{"__class__": 3}', '{"__class__": "NoSuchClass"}', '{"__class__": "AssetKey", "path": 3}',
    '{"__enum__": "x"}', '{"__set__": 3}', '{"__frozenset__": {"a": 1}}',
    *(
        json.dumps({"__class__": _STATUS, **fields})
        for fields in (
            {},
            {"record_id": None},
            {"record_id": "5"},
            {"record_id": True},
            {"record_id": 1.5},
            {"record_id": -7},
            {"record_id": 999_999_999},
            {"record_id": 10**30},
            {"record_id": [1]},
            {"record_id": 0, "update_timestamp": "yesterday"},
            {"record_id": 0, "update_timestamp": 3},
            {"record_id": 0, "record_timestamp": 3},
            {"record_id": 0, "more": {"__enum__": "x"}},
        )
    ),
]  # fmt: skip


def garbage(seed: int, count: int) -> Iterator[str]:
    """``FOREIGN`` ones and random changes of them."""
    chance = random.Random(seed)
    short = [each for each in FOREIGN if 0 < len(each) < 1_000]
    for _ in range(count):
        text = chance.choice(short)
        at = chance.randrange(len(text))
        match chance.randrange(3):
            case 0:
                yield text[:at] + chance.choice('{}[]":,0-9nax') + text[at + 1 :]
            case 1:
                yield text[:at]
            case _:
                yield text[:at] + chance.choice(short) + text[at:]
