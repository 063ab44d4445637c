"""How the link to one partner is doing, as the row of the partner says; when it is tried again goes by that."""

import asyncio
from datetime import timedelta
from functools import partial

import structlog

from acmx.delivery.backoff import LONGEST, delay
from acmx.delivery.wire import LinkDown
from acmx.domain.moments import to_ms
from acmx.flows.house import House
from acmx.storage.engine import Store, Tx
from acmx.storage.exchange import outbox
from acmx.storage.partnership import partners
from acmx.storage.partnership.partners import Partner

NOTE_SUCCESS_EVERY = 30_000
log = structlog.get_logger()


class LinkHealth:
    """`probe`: the longest between two probes while something waits."""

    def __init__(self, house: House, store: Store, partner: str, probe: timedelta) -> None:
        self._house = house
        self._store = store
        self._partner = partner
        self._probe = probe
        self._judged = 0.0
        self._noted = 0
        self._asked_to_wait_until = 0

    def begin_anew(self) -> None:
        """What is remembered was said by a wrong clock."""
        self._noted = self._asked_to_wait_until = 0

    def answered(self) -> None:
        """Just now, with a word that counts."""
        self._judged = _time()

    async def note_success(self, now: int) -> None:
        """Unless that was done lately; `now` in milliseconds."""
        if now - self._noted > NOTE_SUCCESS_EVERY:
            await self.works(now)

    async def works(self, now: int, clock_difference: int | None = None) -> None:
        """As `partners.link_works`."""
        self._noted = now
        await self._store.write(
            partial(partners.link_works, id_=self._partner, now=now, clock_difference=clock_difference)
        )

    async def failed(self, error: LinkDown, begun: float) -> None:
        """What began before the link was last seen to work or to fail says nothing new about it.

        `begun` by the time of the event loop.
        """
        if begun <= self._judged:
            return
        self._judged = _time()
        log.warning("the link is down", partner=self._partner, error=str(error))
        now = self._house.clock()
        began = now - timedelta(seconds=self._judged - begun)
        self._asked_to_wait_until = to_ms(now + error.retry_after)

        def act(tx: Tx) -> None:
            partner = partners.find(tx, self._partner)
            if partner is None:
                return
            failures = partner.failures + 1
            in_haste = partner.state_here != "removed" and outbox.waits(tx, self._partner)
            longest = self._probe if in_haste else LONGEST
            again = to_ms(max(began + delay(failures, longest=longest), now + error.retry_after))
            partners.link_failed(tx, self._partner, failures, error.detail, again)

        await self._store.write(act)

    async def rests(self, partner: Partner, now: int) -> timedelta:
        """How long the link is still to be left alone, nothing or less where it is not. `now` in milliseconds.

        A back-off that grew long ends where something began to wait since, unless the partner asked for it.
        """
        pause = timedelta(milliseconds=(partner.next_attempt_at or 0) - now)
        asked = now < self._asked_to_wait_until or partner.state_here == "removed"
        if pause <= self._probe or asked:
            return pause
        waits = await self._store.read(partial(outbox.waits, partner=self._partner))
        return timedelta(0) if waits else pause


def _time() -> float:
    return asyncio.get_running_loop().time()
