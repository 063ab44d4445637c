"""A store whose commits are measured from outside, whichever engine it is."""

import asyncio
from collections.abc import Callable
from time import perf_counter

from acmx.domain.errors import TemporarilyUnavailable
from acmx.storage.engine import Store, T, Tx
from acmx.telemetry.store_around import StoreAround

Observe = Callable[[float], None]


class WatchedStore(StoreAround):
    """As `Store`. What failed to become durable is not counted.

    The plans of one commit hear of it in one turn of the event loop: those that do were committed together.
    """

    def __init__(self, store: Store, seconds: Observe, plans: Observe) -> None:
        super().__init__(store)
        self._seconds = seconds
        self._plans = plans
        self._together = 0

    async def write(self, act: Callable[[Tx], T]) -> T:
        began = perf_counter()
        try:
            result = await self._store.write(act)
        except TemporarilyUnavailable:
            raise
        except Exception:
            self._durable(began)
            raise
        self._durable(began)
        return result

    def _durable(self, began: float) -> None:
        self._seconds(perf_counter() - began)
        self._together += 1
        if self._together == 1:
            asyncio.get_running_loop().call_soon(self._count)

    def _count(self) -> None:
        self._plans(self._together)
        self._together = 0
