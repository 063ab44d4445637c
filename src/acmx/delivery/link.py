"""The link to one partner: the one retry loop (law 6). It says where the partnership stands, compares, and sends."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial

import structlog

from acmx.delivery import comparison
from acmx.delivery.backoff import LONGEST, Pace
from acmx.delivery.clock_voices import ClockVoices
from acmx.delivery.comparison import Comparison
from acmx.delivery.greeting import ask_time, greet
from acmx.delivery.link_health import LinkHealth
from acmx.delivery.outward import SocketTo
from acmx.delivery.sender import IDLE, Send, Sender
from acmx.delivery.supervisor import Beat, rest
from acmx.delivery.wire import LinkDown, NoAnswer, NotTheirs, Wire
from acmx.domain.errors import FaultyInput
from acmx.domain.moments import to_ms
from acmx.domain.partnership import Standing
from acmx.flows.carry_out import confirmed
from acmx.flows.house import House
from acmx.flows.partnership import change_metadata, state_partnership
from acmx.storage.engine import Store, Tx
from acmx.storage.partnership import partners
from acmx.storage.partnership.partners import Partner
from acmx.trust import tls
from acmx.trust.own import Own
from acmx.trust.pinned import Pinned, pinned

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
        voices: ClockVoices,
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
        self._pace = pace
        self._voices = voices
        self._wake = asyncio.Event()
        self._stated: tuple[Standing, str, str | None] | None = None
        self._look_again_at = 0.0
        self._keys_there: frozenset[str] | None = None
        self._key_turn = 0
        self._health = LinkHealth(house, store, partner, pace.probe)
        self._sender = Sender(
            house, store, partner, self._health, pace.probe, send, self.wake, self._greet_again
        )

    def wake(self) -> None:
        self._wake.set()

    def lease_anew(self) -> None:
        """What was stored of the lease may be gone."""
        self._leased_until = 0
        self.wake()

    def begin_anew(self) -> None:
        """The clock was wrong, and is right: what was said and remembered by it is said and asked again."""
        self._health.begin_anew()
        self._greet_again()
        self.lease_anew()

    async def finish(self, grace: float) -> None:
        """Begin nothing more, and give what is under way so many seconds."""
        await self._sender.finish(grace)

    async def run(self, beat: Beat) -> None:
        """Until cancelled. What is under way then is left for the next start."""
        opened: tuple[bytes, str] | None = None
        async with AsyncExitStack() as stack:
            try:
                while True:
                    partner = await self._read()
                    if opened != (partner.metadata, self._own.shown):
                        await self._sender.wait()
                        await stack.aclose()
                        opened = partner.metadata, self._own.shown
                        wire = await stack.enter_async_context(self._wire_to(partner))
                        self._greet_again()
                    pause = IDLE if _is_over(partner) else await self._turn(wire, partner)
                    beat(pause.total_seconds() + TURN_WITHIN)
                    await rest(self._wake, pause)
            finally:
                self._sender.cancel()

    async def _turn(self, wire: Wire, partner: Partner) -> timedelta:
        """Do what can be done now; how long to rest then, unless woken."""
        now, begun = to_ms(self._house.clock()), self._now()
        if (pause := await self._health.rests(partner, now)) > timedelta(0):
            return pause
        if partner.established and self._voices.wants(partner.id):
            try:
                await self._hear_time(partner)
            except NoAnswer as error:
                await self._health.failed(error, begun)
                return timedelta(0)
        if (others := await self._lease(now)) is not None:
            return timedelta(milliseconds=others - now)
        if partner.failures or self._stated != self._to_say(partner):
            partner = await self._state(wire)
            if partner.failures:
                return timedelta(0)
        if change_metadata.due(partner) and self._now() >= self._look_again_at:
            return await self._look_at_metadata(wire, partner)
        return await self._work(wire, partner, now) if partner.established else IDLE

    async def _work(self, wire: Wire, partner: Partner, now: int) -> timedelta:
        due_in = comparison.due_in(partner, now)
        if due_in <= timedelta(0):
            return await self._compare(wire, partner)
        return min(due_in, await self._sender.send_ready(wire))

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
            await self._health.failed(error, begun)
        except LinkDown as error:
            log.warning("a partner's metadata cannot be fetched", partner=partner.id, error=error.detail)
            self._look_again_at = self._now() + LONGEST.total_seconds()
        return timedelta(0)

    async def _compare(self, wire: Wire, partner: Partner) -> timedelta:
        """Nothing is sent before it is done: what waits may have been minted without knowing what was lost."""
        begun = self._now()
        try:
            await Comparison(self._house, self._store, self._own, wire, partner).run()
        except LinkDown as error:
            await self._health.failed(error, begun)
        return timedelta(0)

    async def _hear_time(self, partner: Partner) -> None:
        """Before anything else, whatever the certificates' ends say. Raises NoAnswer."""
        try:
            difference = await ask_time(self._house.clock, self._wire_to(partner, at_any_time=True))
        except LinkDown as error:
            self._voices.silent(partner.id)
            if isinstance(error, NoAnswer):
                raise
        else:
            self._voices.hear(partner.id, difference)
        await self._voices.judge()

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

    def _greet_again(self) -> None:
        self._stated = None

    def _to_say(self, partner: Partner) -> tuple[Standing, str, str | None]:
        return partner.state_here, self._own.metadata_digest, partner.reason_here

    async def _state(self, wire: Wire) -> Partner:
        """Greeting and probe: what is said is the standing of the partnership here, once it is durable."""
        partner = self._heard(await confirmed(self._store, self._find))
        now, begun = to_ms(self._house.clock()), self._now()
        said = self._to_say(partner)
        try:
            theirs, difference = await greet(self._house, self._own, wire, partner, self._key_turn)
        except LinkDown as error:
            self._key_turn += not isinstance(error, NoAnswer)
            await self._health.failed(error, begun)
            return await self._read()
        self._health.answered()
        self._stated, self._key_turn = said, 0
        if partner.failures:
            await self._store.write(
                partial(partners.to_compare, id_=self._partner, now=now, reason="silence")
            )
        await self._store.write(partial(state_partnership.hear, statement=theirs, at=now))
        await self._health.works(now, difference)
        if partner.told != partner.state_here:
            await self._store.write(partial(partners.took, id_=self._partner, said=partner.state_here))
        return await self._read()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _wire_to(self, partner: Partner, *, at_any_time: bool = False) -> Wire:
        peer = pinned(partner.metadata)
        context = self._context(peer)
        if at_any_time:
            tls.hold_at_any_time(context)
        return Wire(self._own, peer, context, self._house.clock, self._pace.answer, self._make_socket)

    async def _read(self) -> Partner:
        return self._heard(await self._store.read(self._find))

    def _find(self, tx: Tx) -> Partner | None:
        return partners.find(tx, self._partner)

    def _heard(self, partner: Partner | None) -> Partner:
        if partner is None:
            raise LookupError(self._partner)
        if partner.own_keys_there != self._keys_there:
            self._keys_there, self._key_turn = partner.own_keys_there, 0
        self._own.hear_held(partner.id, partner.own_keys_there)
        return partner


def _is_over(partner: Partner) -> bool:
    """A partner that was removed has to hear so, and one that removed this system does not listen any more."""
    return partner.state_there == "removed" or partner.state_here == partner.told == "removed"
