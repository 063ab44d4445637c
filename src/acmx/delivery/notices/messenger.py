"""The messenger: sends what the ledger says is to be told, each channel in a task of its own.

A parcel is taken and that is committed before its first byte leaves; what became of it is committed after. Between
the two a crash costs at most a duplicate under the same id, never a loss. A channel that fails backs off alone.
"""

import asyncio
from collections.abc import Hashable, Iterable
from contextlib import suppress
from datetime import timedelta
from functools import partial

import structlog

from acmx.delivery.backoff import delay
from acmx.delivery.notices.channel import Channel, NeverTaken, NotTaken, TargetDown
from acmx.delivery.supervisor import Beat, Supervisor, rest
from acmx.domain.moments import to_ms
from acmx.flows.house import House
from acmx.flows.operations import suspend_expiry
from acmx.storage import deliveries
from acmx.storage.clock_holds import ClockRight
from acmx.storage.deliveries import Parcel, ToTell
from acmx.storage.engine import Missed, Store, Tx

TAKEN_FOR = timedelta(minutes=2)
GIVE_UP_AFTER = timedelta(days=3)
LOOK_AGAIN = timedelta(seconds=30)
DELIVERED_WITHIN = 45.0
TURN_WITHIN = 60.0
"""Seconds: more than a delivery, so that a slow target is not taken for a messenger that is stuck."""
log = structlog.get_logger()


class Messenger:
    """Keeps every channel going."""

    def __init__(
        self, house: House, store: Store, supervisor: Supervisor, channels: Iterable[Channel]
    ) -> None:
        self._supervisor = supervisor
        self._rounds = {channel.name: _Round(house, store, channel) for channel in channels}

    def start(self) -> None:
        for name, round_ in self._rounds.items():
            self._supervisor.keep("messenger", round_.run, of=name)

    async def finish(self, grace: float) -> None:
        """Begin nothing any more. What is on its way may arrive within `grace` seconds; else it is sent again later."""
        await asyncio.gather(*(round_.finish(grace) for round_ in self._rounds.values()))

    def hear(self, signals: frozenset[Hashable]) -> None:
        """Commits with something to tell wake the channel it is told by."""
        for signal in signals:
            if isinstance(signal, ClockRight):
                for round_ in self._rounds.values():
                    round_.begin_anew()
            elif isinstance(signal, Missed):
                for round_ in self._rounds.values():
                    round_.wake()
            elif isinstance(signal, ToTell) and signal.channel in self._rounds:
                self._rounds[signal.channel].wake()


class _Round:
    """One channel: parcel after parcel, for as long as it runs."""

    def __init__(self, house: House, store: Store, channel: Channel) -> None:
        self._channel = channel
        self._house = house
        self._store = store
        self._wake = asyncio.Event()
        self._at_work = asyncio.Lock()
        self._failures = 0
        self._not_before = 0

    def wake(self) -> None:
        self._wake.set()

    def begin_anew(self) -> None:
        """Until when the channel was to be left alone, a wrong clock has said."""
        self._not_before = 0
        self.wake()

    async def finish(self, grace: float) -> None:
        """The lock is kept, so no turn begins after this one."""
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._at_work.acquire()

    async def run(self, beat: Beat) -> None:
        """Until cancelled."""
        while True:
            async with self._at_work:
                pause = await self._turn()
            beat(LOOK_AGAIN.total_seconds() + TURN_WITHIN)
            if pause:
                await rest(self._wake, min(pause, LOOK_AGAIN))

    async def _turn(self) -> timedelta:
        """Send what is due first; how long to rest then, unless woken."""
        now = self._now()
        due = await self._store.read(partial(deliveries.next_moment, channel=self._channel.name))
        if due is None:
            return LOOK_AGAIN
        begin = max(due, self._not_before)
        if begin > now:
            return timedelta(milliseconds=begin - now)
        parcel = await self._store.write(
            partial(
                deliveries.take,
                channel=self._channel.name,
                now=now,
                until=now + TAKEN_FOR // timedelta(milliseconds=1),
                most=self._channel.most,
                new_id=self._house.mint(),
            )
        )
        if parcel is not None:
            await self._deliver(parcel)
        return timedelta(0)

    async def _deliver(self, parcel: Parcel) -> None:
        try:
            async with asyncio.timeout(DELIVERED_WITHIN):
                await self._channel.deliver(parcel)
        except (TargetDown, TimeoutError) as error:
            self._failures += 1
            self._not_before = self._after(delay(self._failures))
            await self._put_off(parcel, self._not_before, str(error) or "takes too long")
        except NotTaken as error:
            await self._put_off(parcel, self._after(delay(parcel.attempts)), str(error))
        except NeverTaken as error:
            log.warning("what was to be told is refused", channel=parcel.channel, error=str(error))
            await self._store.write(partial(deliveries.failed, parcel=parcel.id, error=str(error)))
        else:
            self._failures = 0
            await self._store.write(partial(deliveries.sent, parcel=parcel.id, at=self._now()))

    async def _put_off(self, parcel: Parcel, again: int, error: str) -> None:
        log.warning("what is to be told waits", channel=parcel.channel, error=error)
        too_late = parcel.items[0].at + GIVE_UP_AFTER // timedelta(milliseconds=1)

        def act(tx: Tx) -> None:
            if again > too_late and not suspend_expiry.doubted(self._house, tx):
                deliveries.failed(tx, parcel.id, error)
            else:
                deliveries.put_off(tx, parcel.id, again, error)

        await self._store.write(act)

    def _now(self) -> int:
        return to_ms(self._house.clock())

    def _after(self, pause: timedelta) -> int:
        return to_ms(self._house.clock() + pause)
