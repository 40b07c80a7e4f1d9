"""Every test of the stores waits only for a moment between two attempts."""

from __future__ import annotations

import pytest

from taxi_assets import retry_policy


@pytest.fixture(autouse=True)
def _short_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry_policy, "FIRST_DELAY_SECONDS", 0.001)
