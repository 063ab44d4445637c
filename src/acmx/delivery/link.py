"""The link to one partner: the one retry loop (law 6)."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial

import structlog
from structlog.contextvars import bind_contextvars

from acmx.delivery import comparison
from acmx.delivery.backoff import LONGEST, Pace, delay
from acmx.delivery.comparison import Comparison
from acmx.delivery.outward import SocketTo
from acmx.delivery.reply import record
from acmx.delivery.supervisor import Beat
from acmx.delivery.wire import LinkDown, NoAnswer, NotTheirs, Said, Wire
from acmx.domain.errors import FaultyInput, NotEstablished
from acmx.domain.messages import PROBLEM, Refusal
from acmx.domain.moments import to_ms
from acmx.domain.partnership import Standing
from acmx.flows import change_metadata, state_partnership
from acmx.flows.house import House
from acmx.flows.replied import Replied
from acmx.storage import messages, outbox, partners
from acmx.storage.engine import Store, Tx
from acmx.storage.messages import Stored
from acmx.storage.outbox import Queued
from acmx.storage.partners import Partner
from acmx.trust.own import Own
from acmx.trust.pinned import Pinned, pinned

AT_A_TIME = 16
AFTER_OWN_FAULT = 1.0
NOT_ITS_OWN_FAULT = 2
"""So often a message may fail with its link, and is sent again as soon as that works."""
IDLE = timedelta(hours=6)
NOTE_SUCCESS_EVERY = 30_000
Send = Callable[[Wire, Stored], Awaitable[Said]]
"""How one attempt of a message is sent. Raises LinkDown."""
LEASE = 60_000
"""Milliseconds, renewed after half of them: longer than an attempt may take, so no other process sends the same."""
TURN_WITHIN = 60.0
log = structlog.get_logger()


class Link:
    """Sends what waits for one partner, for as long as it runs. `owner` names this server's lease of the partner."""

    def __init__(
        self,
        house: House,
        store: Store,
        own: Own,
        partner: str,
        context: Callable[[Pinned], ssl.SSLContext],
        make_socket: SocketTo,
        owner: str,
        pace: Pace,
        send: Send = Wire.put,
    ) -> None:
        self._house = house
        self._store = store
        self._own = own
        self._partner = partner
        self._context = context
        self._make_socket = make_socket
        self._owner = owner
        self._leased_until = 0
        self._finishing = False
        self._pace = pace
        self._put = send
        self._asked_to_wait_until = 0
        self._wake = asyncio.Event()
        self._stated: tuple[Standing, str, str | None] | None = None
        self._noted_success = 0
        self._judged = 0.0
        self._look_again_at = 0.0
        self._key_turn = 0
        self._under_way: dict[tuple[str, str], asyncio.Task[None]] = {}

    def wake(self) -> None:
        self._wake.set()

    async def finish(self, grace: float) -> None:
        """Begin nothing more, and give what is under way so many seconds."""
        self._finishing = True
        if self._under_way:
            await asyncio.wait(self._under_way.values(), timeout=grace)

    async def run(self, beat: Beat) -> None:
        """Until cancelled. What is under way then is left for the next start."""
        opened: tuple[bytes, str] | None = None
        async with AsyncExitStack() as stack:
            try:
                while True:
                    partner = await self._read()
                    if opened != (partner.metadata, self._own.shown):
                        await self._let_finish()
                        await stack.aclose()
                        opened = partner.metadata, self._own.shown
                        peer = pinned(partner.metadata)
                        wire = Wire(
                            self._own,
                            peer,
                            self._context(peer),
                            self._house.clock,
                            self._pace.answer,
                            self._make_socket,
                        )
                        await stack.enter_async_context(wire)
                        self._stated = None
                    pause = IDLE if _is_over(partner) else await self._turn(wire, partner)
                    beat(pause.total_seconds() + TURN_WITHIN)
                    await self._rest(pause)
            finally:
                for task in self._under_way.values():
                    task.cancel()

    async def _turn(self, wire: Wire, partner: Partner) -> timedelta:
        """Do what can be done now; how long to rest then, unless woken."""
        now = to_ms(self._house.clock())
        pause = timedelta(milliseconds=(partner.next_attempt_at or 0) - now)
        if pause > timedelta(0) and not (pause > self._pace.probe and await self._may_probe(partner, now)):
            return pause
        if (others := await self._lease(now)) is not None:
            return timedelta(milliseconds=others - now)
        if partner.failures or self._stated != self._to_say(partner):
            partner = await self._state(wire, partner)
            if partner.failures:
                return timedelta(0)
        if change_metadata.due(partner) and self._now() >= self._look_again_at:
            return await self._look_at_metadata(wire, partner)
        return await self._work(wire, partner, now) if partner.established else IDLE

    async def _work(self, wire: Wire, partner: Partner, now: int) -> timedelta:
        due_in = comparison.due_in(partner, now)
        if due_in <= timedelta(0):
            return await self._compare(wire, partner)
        return min(due_in, await self._send_ready(wire))

    async def _look_at_metadata(self, wire: Wire, partner: Partner) -> timedelta:
        begun = self._now()
        try:
            body, _ = await wire.metadata()
            plan = await self._store.read(lambda tx: change_metadata.prepare(self._house, tx, partner, body))
            await self._store.write(partial(change_metadata.apply, plan=plan))
        except (FaultyInput, NotTheirs) as error:
            log.warning("a partner's metadata is not taken", partner=partner.id, error=error.detail)
            reason = error.detail[:300]
            await self._store.write(lambda tx: change_metadata.refuse(self._house, tx, partner, reason))
        except NoAnswer as error:
            await self._failed(error, begun)
        except LinkDown as error:
            log.warning("a partner's metadata cannot be fetched", partner=partner.id, error=error.detail)
            self._look_again_at = self._now() + LONGEST.total_seconds()
        return timedelta(0)

    async def _let_finish(self) -> None:
        """What is under way goes over the connections that are about to be closed."""
        if self._under_way:
            await asyncio.wait(self._under_way.values())

    async def _compare(self, wire: Wire, partner: Partner) -> timedelta:
        """Nothing is sent before it is done: what waits may have been minted without knowing what was lost."""
        begun = self._now()
        try:
            await Comparison(self._house, self._store, self._own, wire, partner).run()
        except LinkDown as error:
            await self._failed(error, begun)
        return timedelta(0)

    async def _lease(self, now: int) -> int | None:
        """None while this process is the one that sends to the partner; else until when another one is."""
        if now < self._leased_until - LEASE // 2:
            return None
        wanted = partners.Lease(self._partner, self._owner, now, now + LEASE)
        others = await self._store.read(partial(partners.leased, wanted=wanted))
        if others is None:
            others = await self._store.write(partial(partners.lease, wanted=wanted))
        if others is None:
            self._leased_until = now + LEASE
        return others

    def _to_say(self, partner: Partner) -> tuple[Standing, str, str | None]:
        return partner.state_here, self._own.metadata_digest, partner.reason_here

    async def _state(self, wire: Wire, partner: Partner) -> Partner:
        """Greeting and probe: what is said is the standing of the partnership here."""
        now, begun = self._house.clock(), self._now()
        said = self._to_say(partner)
        try:
            statement = state_partnership.statement(self._house, wire.peer, now, *said)
            theirs = await wire.state(statement, self._key_turn)
        except LinkDown as error:
            self._key_turn += not isinstance(error, NoAnswer)
            await self._failed(error, begun)
            return await self._read()
        self._judged = self._now()
        self._stated, self._key_turn = said, 0
        midway = now + (self._house.clock() - now) / 2
        difference = to_ms(theirs.created_at) - to_ms(midway)
        if partner.failures:
            await self._store.write(
                partial(partners.to_compare, id_=self._partner, now=to_ms(now), reason="silence")
            )
        await self._store.write(partial(state_partnership.hear, statement=theirs, at=to_ms(now)))
        await self._note_success(to_ms(now), difference)
        if partner.told != partner.state_here:
            await self._store.write(partial(partners.took, id_=self._partner, said=partner.state_here))
        return await self._read()

    async def _note_success(self, now: int, clock_difference: int | None = None) -> None:
        self._noted_success = now
        await self._store.write(
            partial(partners.link_works, id_=self._partner, now=now, clock_difference=clock_difference)
        )

    async def _send_ready(self, wire: Wire) -> timedelta:
        now = to_ms(self._house.clock())
        free = AT_A_TIME - len(self._under_way)
        if free <= 0 or self._finishing:
            return IDLE
        found = await self._store.read(
            partial(outbox.ready, partner=self._partner, now=now, limit=free + len(self._under_way))
        )
        ready = [q for q in found if (q.primary_system, q.id) not in self._under_way][:free]
        waiting = await self._store.write(partial(outbox.attempt, batch=ready, now=now)) if ready else []
        for queued in waiting:
            key = (queued.primary_system, queued.id)
            task = asyncio.create_task(self._send(wire, queued))
            self._under_way[key] = task
            task.add_done_callback(partial(self._sent, key))
        following = await self._store.read(partial(outbox.next_moment, partner=self._partner, now=now))
        return timedelta(milliseconds=following - now) if following is not None else IDLE

    def _sent(self, key: tuple[str, str], task: asyncio.Task[None]) -> None:
        del self._under_way[key]
        if task.cancelled():
            return
        if (error := task.exception()) is None:
            self._wake.set()
            return
        log.error("a message could not be sent", partner=self._partner, exchange=key[1], exc_info=error)
        task.get_loop().call_later(AFTER_OWN_FAULT, self._wake.set)

    async def _send(self, wire: Wire, queued: Queued) -> None:
        bind_contextvars(exchange=queued.id)
        message = await self._store.read(
            lambda tx: messages.at(tx, queued.primary_system, queued.id, self._own.system, queued.n)
        )
        if message is None:
            return
        begun = self._now()
        try:
            said = await self._put(wire, message)
        except LinkDown as error:
            await self._failed(error, begun)
            await self._put_off(queued, str(error))
            return
        self._judged = self._now()
        await self._record(queued, said)

    async def _record(self, queued: Queued, said: Said) -> None:
        replied = Replied(queued, self._own.system, said.body, said.signature, to_ms(self._house.clock()))
        await self._store.write(
            partial(record, replied=replied, word=said.word, retry_after=said.retry_after)
        )
        if replied.at - self._noted_success > NOTE_SUCCESS_EVERY:
            await self._note_success(replied.at)
        if isinstance(said.word, Refusal) and said.word.type == PROBLEM + NotEstablished.type:
            self._stated = None

    async def _put_off(self, queued: Queued, error: str) -> None:
        alone = queued.attempts - NOT_ITS_OWN_FAULT
        pause = delay(alone, longest=self._pace.probe) if alone > 0 else timedelta(0)
        at = to_ms(self._house.clock() + pause)
        await self._store.write(partial(outbox.put_off, queued=queued, next_attempt_at=at, error=error))

    async def _failed(self, error: LinkDown, begun: float) -> None:
        """What began before the link was last seen to work or to fail says nothing new about it."""
        if begun <= self._judged:
            return
        self._judged = self._now()
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
            longest = self._pace.probe if in_haste else LONGEST
            again = to_ms(max(began + delay(failures, longest=longest), now + error.retry_after))
            partners.link_failed(tx, self._partner, failures, error.detail, again)

        await self._store.write(act)

    async def _may_probe(self, partner: Partner, now: int) -> bool:
        """Whether something began to wait since the back-off grew long, and the partner did not ask for it."""
        if now < self._asked_to_wait_until or partner.state_here == "removed":
            return False
        return await self._store.read(partial(outbox.waits, partner=self._partner))

    async def _rest(self, pause: timedelta) -> None:
        try:
            async with asyncio.timeout(max(pause.total_seconds(), 0)):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _read(self) -> Partner:
        partner = await self._store.read(partial(partners.find, id_=self._partner))
        if partner is None:
            raise LookupError(self._partner)
        self._own.hear_held(partner.id, partner.own_keys_there)
        return partner


def _is_over(partner: Partner) -> bool:
    """A partner that was removed has to hear so, and one that removed this system does not listen any more."""
    return partner.state_there == "removed" or partner.state_here == partner.told == "removed"
