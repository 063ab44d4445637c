"""OpenTelemetry traces inside one server: its calls, commits and deliveries, with ids and types, never content.

Nothing that a client or partner sends joins its trace: every call and every attempt begins one.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind
from starlette.types import ASGIApp

from acmx import __version__
from acmx.delivery.sender import Send
from acmx.delivery.wire import Said, Wire
from acmx.domain.errors import AcmxError
from acmx.domain.messages import PROBLEM, Refusal
from acmx.storage.engine import Store
from acmx.storage.exchange.messages import Stored
from acmx.telemetry.traced_face import TracedFace
from acmx.telemetry.traced_store import TracedStore

EXPORT_SECONDS = 5.0
FLUSH_SECONDS = 2.0


class Traces:
    """The tracer of one server, and what has to be wrapped so that it traces."""

    def __init__(self, endpoint: str, system: str) -> None:
        about = Resource(
            {"service.name": "acmx", "service.version": __version__, "service.instance.id": system}
        )
        self._provider = TracerProvider(resource=about, shutdown_on_exit=False)
        self._provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, timeout=EXPORT_SECONDS))
        )
        self._tracer = self._provider.get_tracer("acmx", __version__)

    def watch_store(self, store: Store) -> Store:
        return TracedStore(store, self._tracer)

    def watch_face(self, app: ASGIApp, face: str) -> ASGIApp:
        return TracedFace(app, face, self._tracer)

    def watch_deliveries(self, send: Send) -> Send:
        async def traced(wire: Wire, message: Stored) -> Said:
            with self._attempt(wire.peer.metadata.system, message) as span:
                said = await send(wire, message)
                if isinstance(said.word, Refusal):
                    span.set_attribute("error.type", said.word.type.removeprefix(PROBLEM)[:64])
                return said

        return traced

    async def stop(self) -> None:
        """Send what is left, for 2 s at most."""
        loop = asyncio.get_running_loop()
        sent = asyncio.Event()

        def send() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(sent.set)

        Thread(target=send, name="acmx-traces", daemon=True).start()
        with suppress(TimeoutError):
            await asyncio.wait_for(sent.wait(), FLUSH_SECONDS)

    @contextmanager
    def _attempt(self, partner: str, message: Stored) -> Iterator[Span]:
        with self._tracer.start_as_current_span(
            f"deliver {message.type}",
            Context(),
            SpanKind.CLIENT,
            {
                "acmx.partner": partner,
                "acmx.exchange": f"{message.primary_system}/{message.id}",
                "acmx.message": message.n,
            },
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except AcmxError as error:
                span.set_attribute("error.type", error.type)
                raise
