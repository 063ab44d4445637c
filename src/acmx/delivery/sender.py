"""What waits for one partner is sent: some exchanges at a time, of each one message until the partner's signed word."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

import structlog
from structlog.contextvars import bind_contextvars

from acmx.delivery.backoff import delay
from acmx.delivery.link_health import LinkHealth
from acmx.delivery.reply import record
from acmx.delivery.supervisor import in_words, unnamed
from acmx.delivery.wire import LinkDown, Said, Wire
from acmx.domain.errors import NotEstablished
from acmx.domain.messages import PROBLEM, Refusal
from acmx.domain.moments import to_ms
from acmx.flows.acm2.replied import Replied
from acmx.flows.house import House
from acmx.storage.engine import Store
from acmx.storage.exchange import messages, outbox
from acmx.storage.exchange.messages import Stored
from acmx.storage.exchange.outbox import Queued

AT_A_TIME = 16
AFTER_OWN_FAULT = 1.0
NOT_ITS_OWN_FAULT = 2
"""So often a message may fail with its link, and is sent again as soon as that works."""
IDLE = timedelta(hours=6)
Send = Callable[[Wire, Stored], Awaitable[Said]]
"""How one attempt of a message is sent. Raises LinkDown."""
log = structlog.get_logger()


class Sender:
    """`probe`: the longest between two attempts of a message that fails alone.

    `wake` is called when more may be sent, `not_established` when the partner says that the partnership is not.
    """

    def __init__(
        self,
        house: House,
        store: Store,
        partner: str,
        health: LinkHealth,
        probe: timedelta,
        send: Send,
        wake: Callable[[], None],
        not_established: Callable[[], None],
    ) -> None:
        self._house = house
        self._store = store
        self._partner = partner
        self._health = health
        self._probe = probe
        self._put = send
        self._wake = wake
        self._not_established = not_established
        self._finishing = False
        self._under_way: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def finish(self, grace: float) -> None:
        """Begin nothing more, and give what is under way so many seconds."""
        self._finishing = True
        await self.wait(grace)

    async def wait(self, within: float | None = None) -> None:
        """Until nothing is under way, or for so many seconds."""
        if self._under_way:
            await asyncio.wait(self._under_way.values(), timeout=within)

    def cancel(self) -> None:
        for task in self._under_way.values():
            task.cancel()

    async def send_ready(self, wire: Wire) -> timedelta:
        """Begin what may be sent now; how long until there is more, unless woken."""
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
            self._wake()
            return
        log.error(
            "a message could not be sent",
            partner=self._partner,
            exchange=key[1],
            error=in_words(error),
            exc_info=unnamed(error),
        )
        task.get_loop().call_later(AFTER_OWN_FAULT, self._wake)

    async def _send(self, wire: Wire, queued: Queued) -> None:
        bind_contextvars(exchange=queued.id)
        message = await self._store.read(
            lambda tx: messages.at(tx, queued.primary_system, queued.id, self._house.system, queued.n)
        )
        if message is None:
            return
        begun = asyncio.get_running_loop().time()
        try:
            said = await self._put(wire, message)
        except LinkDown as error:
            await self._health.failed(error, begun)
            await self._put_off(queued, str(error))
            return
        self._health.answered()
        await self._record(queued, said)

    async def _record(self, queued: Queued, said: Said) -> None:
        replied = Replied(queued, self._house.system, said.body, said.signature, to_ms(self._house.clock()))
        await self._store.write(
            partial(record, replied=replied, word=said.word, retry_after=said.retry_after)
        )
        await self._health.note_success(replied.at)
        if isinstance(said.word, Refusal) and said.word.type == PROBLEM + NotEstablished.type:
            self._not_established()

    async def _put_off(self, queued: Queued, error: str) -> None:
        alone = queued.attempts - NOT_ITS_OWN_FAULT
        pause = delay(alone, longest=self._probe) if alone > 0 else timedelta(0)
        at = to_ms(self._house.clock() + pause)
        await self._store.write(partial(outbox.put_off, queued=queued, next_attempt_at=at, error=error))
