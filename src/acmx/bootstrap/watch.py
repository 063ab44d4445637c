"""Who watches the server: metrics and traces, each only where the configuration names its place."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from acmx.config import Config, endpoint
from acmx.delivery.sender import Send
from acmx.delivery.wire import Wire
from acmx.domain.errors import Misconfigured
from acmx.faces.listener import Listener
from acmx.flows.house import House
from acmx.storage.engine import Store
from acmx.telemetry import page
from acmx.telemetry.metrics import Metrics
from acmx.telemetry.standing import Parts

if TYPE_CHECKING:
    from acmx.telemetry.traces import Traces

GRACE = 1.0
Refused = Callable[[str, str], None]


class Watch:
    """Gives everything back as it was where nobody watches."""

    def __init__(self, config: Config) -> None:
        """Raises Misconfigured where traces are asked for and their packages are not installed."""
        self._listen = config.metrics.listen
        self._metrics = Metrics() if self._listen else None
        self._traces = _traces(config) if config.traces.endpoint else None
        self._watching = [watching for watching in (self._metrics, self._traces) if watching is not None]
        self._page: Listener | None = None

    def store(self, store: Store) -> Store:
        for watching in self._watching:
            store = watching.watch_store(store)
        return store

    def face(self, app: ASGIApp, face: str) -> ASGIApp:
        for watching in self._watching:
            app = watching.watch_face(app, face)
        return app

    def deliveries(self) -> Send:
        send: Send = Wire.put
        for watching in self._watching:
            send = watching.watch_deliveries(send)
        return send

    def connections(self, face: str, refused: Refused) -> Refused:
        return self._metrics.watch_connections(face, refused) if self._metrics else refused

    async def start(self, house: House, store: Store, parts: Parts) -> None:
        """Raises OSError where the address of the metrics cannot be had."""
        if self._metrics is not None:
            app = page.app(self._metrics, house, store, parts)
            self._page = Listener(app, *endpoint(self._listen), None, lambda *_: None)
            await self._page.start()

    async def stop(self) -> None:
        if self._page is not None:
            await self._page.stop(GRACE)
        if self._traces is not None:
            await self._traces.stop()

    @property
    def port(self) -> int | None:
        """Where the metrics are read; None: nowhere."""
        return self._page.port if self._page else None


def _traces(config: Config) -> "Traces":
    """OpenTelemetry is an extra, and takes its time to be loaded."""
    try:
        from acmx.telemetry.traces import Traces  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise Misconfigured(f"traces.endpoint: {error.name} is missing: install acmx[traces]") from error
    return Traces(config.traces.endpoint, config.system)
