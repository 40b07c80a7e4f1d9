"""``Simulator``: a folder, served on loopback as TLC serves its site.

with Simulator(folder) as tlc:
    tlc.publish("green", Month(2024, 1))
    httpx.get(f"{tlc.url}/trip-data/green_tripdata_2024-01.parquet")
"""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from taxi_assets.datasets.month import Month
from taxi_assets.simulator.faults import Faults
from taxi_assets.simulator.handler import Handler
from taxi_assets.simulator.publisher import publish_month, publish_zones, withdraw_month
from taxi_assets.simulator.site import LoggedRequest, Site, SiteServer

__all__ = ["Simulator"]


class Simulator:
    """Serves ``folder`` on 127.0.0.1 from its creation until :meth:`stop`.

    ``port`` 0 is any free port. Raises ``OSError`` if the port is in use.
    """

    def __init__(self, folder: Path, port: int = 0) -> None:
        self._site = Site(folder)
        self._server = SiteServer(self._site, port, Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            name="simulator",
            daemon=True,
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address of the site, without a trailing slash."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def faults(self) -> Faults:
        """The faults to inject."""
        return self._site.faults

    @property
    def requests(self) -> tuple[LoggedRequest, ...]:
        """The requests for files so far, oldest first."""
        return tuple(self._site.requests)

    def publish(
        self, dataset: str, month: Month, *, rows: int | None = None, seed: int = 0
    ) -> Path:
        """Generate and publish a month, or reissue it; see ``publisher.publish_month``."""
        return publish_month(self._site.folder, dataset, month, rows=rows, seed=seed)

    def publish_zones(self) -> None:
        """Publish the zone lookup and the zone shapes."""
        publish_zones(self._site.folder)

    def withdraw(self, dataset: str, month: Month) -> None:
        """Withdraw a month: its path answers 403 again."""
        withdraw_month(self._site.folder, dataset, month)

    def stop(self) -> None:
        """Stop serving; may be called twice."""
        self._site.stopping.set()
        self._server.shutdown()
        self._server.disconnect_all()
        self._server.server_close()
        self._thread.join()
