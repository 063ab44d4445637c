"""A store whose commits are spans of what asked for them."""

from collections.abc import Callable

from opentelemetry.trace import Tracer, get_current_span

from acmx.domain.errors import AcmxError
from acmx.storage.engine import Store, T, Tx
from acmx.telemetry.store_around import StoreAround


class TracedStore(StoreAround):
    """As `Store`. What the server writes of its own accord belongs to no trace."""

    def __init__(self, store: Store, tracer: Tracer) -> None:
        super().__init__(store)
        self._tracer = tracer

    async def write(self, act: Callable[[Tx], T]) -> T:
        if not get_current_span().is_recording():
            return await self._store.write(act)
        with self._tracer.start_as_current_span(
            "commit", record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                return await self._store.write(act)
            except AcmxError as error:
                span.set_attribute("error.type", error.type)
                raise
