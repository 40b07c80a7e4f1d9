"""Run status sensors that recover from a cursor that they cannot use.

Dagster starts afresh with a cursor that is no JSON, but with other ones a tick fails, and as a
failed tick keeps the cursor, so does every later one
(https://docs.dagster.io/guides/automate/sensors/run-status-sensors). With a cursor beyond the end
of the event log, as after restoring or deleting Dagster's records, nothing would be notified until
there are as many events again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import dagster as dg
from typing_extensions import override

from taxi_assets.dagster_names import RUN_STATUS_CURSOR

__all__ = ["RunStatusSensor"]

# The event of the status that a sensor waits for.
_EVENTS: Final = {
    dg.DagsterRunStatus.FAILURE: dg.DagsterEventType.RUN_FAILURE,
    dg.DagsterRunStatus.SUCCESS: dg.DagsterEventType.RUN_SUCCESS,
}


class RunStatusSensor(dg.RunStatusSensorDefinition):
    """As its base, but an unusable cursor costs one tick: it starts afresh after the last event."""

    def __init__(self, *, run_status: dg.DagsterRunStatus, **arguments: Any) -> None:
        super().__init__(run_status=run_status, **arguments)
        self._event = _EVENTS[run_status]

    @override
    def evaluate_tick(self, context: dg.SensorEvaluationContext) -> Any:
        position = _position(context.cursor)
        if position is None or position > self._end(context.instance):
            context.update_cursor(None)  # as in the first tick
        return super().evaluate_tick(context)

    def _end(self, instance: dg.DagsterInstance) -> int:
        latest = instance.fetch_run_status_changes(self._event, limit=1).records
        return latest[0].storage_id if latest else -1


def _position(cursor: str | None) -> int | None:
    """The id of the last event that was seen (-1: none), or ``None`` for any other cursor."""
    try:
        stored: Any = json.loads(cursor or "")
    except (ValueError, RecursionError):
        return None
    if not isinstance(stored, Mapping) or stored.get("__class__") != RUN_STATUS_CURSOR:
        return None
    position, timestamp = stored.get("record_id"), stored.get("record_timestamp")
    if type(position) is not int or position < -1 or not isinstance(timestamp, str | None):
        return None
    # Of the other fields one is obsolete, and none else is Dagster's.
    others = stored.keys() - {"__class__", "record_id", "record_timestamp", "update_timestamp"}
    return None if others or stored.get("update_timestamp") is not None else position
