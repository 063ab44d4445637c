"""Watches the wall clock: against a clock that cannot be set, and at the start against the journal."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import structlog

from acmx.domain.moments import from_ms, text, to_ms
from acmx.flows import doubt_clock
from acmx.flows.house import House
from acmx.storage import journal
from acmx.storage.engine import Store

TOLERANCE = timedelta(minutes=5)
log = structlog.get_logger()


def since_boot() -> float:
    """Seconds; goes on while the machine sleeps, and nobody can set it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class ClockGuard:
    """`steady` gives seconds of a clock that nobody sets."""

    def __init__(self, house: House, store: Store, steady: Callable[[], float] = since_boot) -> None:
        self._house = house
        self._store = store
        self._steady = steady
        self._last: tuple[datetime, float] | None = None

    async def look(self) -> None:
        """Hold what time decides where the clock jumped since the last look. Raises TemporarilyUnavailable."""
        now, steady = self._house.clock(), self._steady()
        reason = (
            await self._behind_journal(now) if self._last is None else self._jumped(now, steady, *self._last)
        )
        if reason is not None:
            log.error("the clock is in doubt: nothing expires until it is confirmed", reason=reason)
            await self._store.write(partial(doubt_clock.hold, at=to_ms(now), reason=reason))
        self._last = now, steady

    def _jumped(self, now: datetime, steady: float, then: datetime, steady_then: float) -> str | None:
        jump = now - then - timedelta(seconds=steady - steady_then)
        if abs(jump) <= TOLERANCE:
            return None
        way = "forward" if jump > timedelta(0) else "back"
        return (
            f"the clock jumped {way} by {timedelta(seconds=round(abs(jump).total_seconds()))} to {text(now)}"
        )

    async def _behind_journal(self, now: datetime) -> str | None:
        newest = await self._store.read(partial(journal.page, before=None, limit=1))
        if not newest or from_ms(newest[0].at) - now <= TOLERANCE:
            return None
        return (
            f"the clock says {text(now)}, but the journal was last written at {text(from_ms(newest[0].at))}"
        )
