"""Watches the wall clock: against a clock that cannot be set, and at the start against the journal and the partners."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import structlog

from acmx.delivery.clock_voices import ClockVoices
from acmx.domain.moments import TOLERANCE, Clock, from_ms, text, to_ms
from acmx.flows.operations import suspend_expiry
from acmx.storage import clock_holds, journal
from acmx.storage.clock_holds import ClockHold
from acmx.storage.engine import Store

log = structlog.get_logger()


def since_boot() -> float:
    """Seconds; goes on while the machine sleeps, and nobody can set it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def name_of_boot() -> str:
    """Of the clock that `since_boot` reads: another one after the next start of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


class ClockGuard:
    """`name` is that of this machine's clock, `steady` gives seconds of one that nobody sets."""

    def __init__(
        self, clock: Clock, store: Store, voices: ClockVoices, name: str, steady: Callable[[], float]
    ) -> None:
        self._clock = clock
        self._store = store
        self._voices = voices
        self._name = name
        self._steady = steady
        self._right: tuple[datetime, float] | None = None
        self._held = False

    def sure(self) -> bool:
        """Whether nothing speaks against the clock at this moment but what is held already."""
        return self._voices.sure() and (
            self._held or (self._right is not None and abs(self._jump(*self._right)) <= TOLERANCE)
        )

    async def look(self) -> None:
        """Hold what time decides where the clock jumped, release it where it agrees again.

        Raises TemporarilyUnavailable.
        """
        if not await self._is_held():
            now, steady = self._clock(), self._steady()
            found = self._jumped(*self._right) if self._right else await self._behind_journal(now)
            if found is not None:
                log.error("the clock is in doubt: nothing expires until it is confirmed", reason=found.reason)
                await self._store.write(partial(suspend_expiry.hold, found=found))
                self._held = True
            else:
                self._right = now, steady
        await self._voices.judge()

    async def _is_held(self) -> bool:
        if self._right is not None and not self._held:
            return False
        held = await self._store.read(partial(clock_holds.of, clock=self._name))
        if held is not None and self._agrees(held):
            log.info("the clock agrees with what it was before it jumped")
            now = to_ms(self._clock())
            await self._store.write(partial(suspend_expiry.agrees, clock=self._name, at=now))
            held = None
        if held is None and self._held:
            self._right = self._clock(), self._steady()
        self._held = held is not None
        return self._held

    def _agrees(self, held: ClockHold) -> bool:
        if held.right_at is None or held.steady_at is None:
            return False
        return abs(self._jump(from_ms(held.right_at), held.steady_at / 1000)) <= TOLERANCE

    def _jump(self, then: datetime, steady_then: float) -> timedelta:
        return self._clock() - then - timedelta(seconds=self._steady() - steady_then)

    def _jumped(self, then: datetime, steady_then: float) -> ClockHold | None:
        jump = self._jump(then, steady_then)
        if abs(jump) <= TOLERANCE:
            return None
        now = self._clock()
        way = "forward" if jump > timedelta(0) else "back"
        reason = (
            f"the clock jumped {way} by {timedelta(seconds=round(abs(jump).total_seconds()))} to {text(now)}; "
            f"by the time since boot it would be {text(now - jump)}"
        )
        return ClockHold(
            self._name, to_ms(now), reason, right_at=to_ms(then), steady_at=round(steady_then * 1000)
        )

    async def _behind_journal(self, now: datetime) -> ClockHold | None:
        newest = await self._store.read(partial(journal.page, before=None, limit=1))
        if not newest or from_ms(newest[0].at) - now <= TOLERANCE:
            return None
        last = text(from_ms(newest[0].at))
        reason = f"the clock says {text(now)}, but the journal was last written at {last}"
        return ClockHold(self._name, to_ms(now), reason)
