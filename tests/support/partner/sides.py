"""Two MC systems without a wire between them: real stores on disk, real signatures; the test carries every letter.

A side does what its ACM server does: `look` and `post` as the link, `take` as the face ACM-2, `hear` as the link.
"""

import shutil
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from acmx.bootstrap.database import open_store
from acmx.delivery import clockwork
from acmx.delivery.comparison import Comparison
from acmx.delivery.reply import record
from acmx.delivery.wire import LinkDown
from acmx.domain.acm1 import (
    Accepted,
    Answer,
    AnswerInput,
    Approvals,
    NewIdentities,
    Review,
    Reviewed,
    RevocationInput,
    Revoked,
    Submission,
    TextInput,
    Threshold,
    VerdictInput,
    WithdrawalInput,
)
from acmx.domain.comparison import ExchangesPage
from acmx.domain.errors import ClockAhead, NotFound
from acmx.domain.exchange import Role
from acmx.domain.messages import Receipt, Refusal
from acmx.domain.moments import Clock, to_ms
from acmx.flows.acm2 import receive
from acmx.flows.acm2.arrivals import Arrived
from acmx.flows.acm2.receive import Reply
from acmx.flows.acm2.replied import Replied
from acmx.flows.carry_out import carry_out
from acmx.flows.exchange import answer, ask, retrieve, review, revoke, submit, withdraw
from acmx.flows.exchange.find import find
from acmx.flows.holdings import enter_identities
from acmx.flows.partnership import set_approvals
from acmx.flows.people.refusals import Refusals
from acmx.flows.policy import set_policy
from acmx.flows.reconciliation import tell_exchanges
from acmx.storage import holdings, journal
from acmx.storage.exchange import exchanges, messages, outbox
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored
from acmx.storage.exchange.outbox import Queued
from acmx.storage.journal import Entry
from acmx.storage.partnership import partners
from acmx.trust.pinned import pinned
from acmx.trust.roles import ROLES, Caller
from acmx.trust.signatures import body_digest, verify
from support.systems.systems import FIRE, POLICE, System, _fail, submission

OTHER = {POLICE: FIRE, FIRE: POLICE}


class Letter(Struct, frozen=True):
    """A message on its way: one attempt, signed."""

    queued: Queued
    sender: str
    body: bytes
    signature: str

    @property
    def place(self) -> tuple[str, str, str, int, str]:
        queued = self.queued
        return queued.primary_system, queued.id, self.sender, queued.n, body_digest(self.body)


class Word(Struct, frozen=True):
    """The reply on its way back, signed."""

    letter: Letter
    reply: Reply
    signature: str


class Held(Struct, frozen=True):
    """All that one side holds, by exchange."""

    exchanges: dict[str, Exchange]
    journal: dict[str, list[Entry]]
    messages: dict[str, list[Stored]]
    outbox: list[Queued]


def caller(system: str, name: str, *roles: str) -> Caller:
    return Caller(name, f"sip:{name}@{system}", (), roles or tuple(ROLES), 0)


class Side:
    """One of the two MC systems."""

    def __init__(self, system: System, peer: System, clock: Clock, **house: Any) -> None:
        ids = (f"01890000-0000-7000-8000-{n:012x}" for n in count(1))
        self.id = system.id
        self.own = system.own
        self.peer = pinned(peer.own.metadata)
        self.house = replace(system.house, clock=clock, mint=lambda: next(ids), **house)
        self._system = system
        self._directory = system.directory
        self._lives = count(1)
        self._open()

    def _open(self) -> None:
        self.store = open_store(self._directory, self._system.config, _fail)

    async def crash(self) -> None:
        """The server is gone at once; it begins again with what lies on its disk at this moment."""
        await self.restore(self.back_up())

    def back_up(self) -> Path:
        """What lies on its disk at this moment."""
        copy = self._directory.with_name(f"{self.id}.{next(self._lives)}")
        copy.mkdir()
        for name in ("acmx.db", "acmx.db-wal"):
            if (self._directory / name).exists():
                shutil.copy(self._directory / name, copy)
        return copy

    async def restore(self, copy: Path) -> None:
        """It goes on with this; a copy is used up by that."""
        await self.store.close()
        self._directory = copy
        self._open()

    async def compare(self, other: "Side") -> None:
        """What both hold, as after each start. Raises LinkDown where the other one's clock is far ahead."""
        partner = await self.store.read(partial(partners.find, id_=other.id))
        assert partner is not None
        way: Any = Way(other, self)
        await Comparison(self.house, self.store, self.own, way, partner).run()

    # What its own people do.

    async def submit(self, key: str, by: Caller | None = None, **changes: Any) -> Accepted:
        given = msgspec.convert(submission(**changes), Submission)
        who = by or caller(self.id, "requester")
        prepare = partial(submit.prepare, self.house, caller=who, key=key, submission=given)
        return submit.answer(await carry_out(self.store, prepare, submit.apply))

    async def withdraw(self, id_: str) -> Accepted:
        who = caller(self.id, "requester")
        prepare = partial(withdraw.prepare, self.house, caller=who, name=id_, given=WithdrawalInput())
        return await carry_out(self.store, prepare, withdraw.apply)

    async def retrieve(self, id_: str) -> Answer:
        prepare = partial(retrieve.prepare, self.house, caller=caller(self.id, "requester"), name=id_)
        return await carry_out(self.store, prepare, retrieve.apply)

    async def review(
        self, id_: str, *verdicts: VerdictInput, by: str = "reviewer", seen: str | None = None
    ) -> Reviewed:
        given = Review(verdicts or (VerdictInput(approved=True),), "as agreed", seen or await self.seen(id_))
        prepare = partial(review.prepare, self.house, caller=caller(self.id, by), name=id_, review=given)
        return await carry_out(self.store, prepare, review.apply)

    async def publish(self, identity: dict[str, Any]) -> None:
        """Its server identities from now on."""
        who, new = caller(self.id, "admin"), NewIdentities(server_identity=identity)
        prepare = partial(enter_identities.prepare, self.house, caller=who, new=new)
        await carry_out(self.store, prepare, enter_identities.apply)

    async def revoke(self, id_: str, *users: str, by: str = "reviewer", reason: str = "over") -> Revoked:
        who, given = caller(self.id, by), RevocationInput(reason, users or None)
        prepare = partial(revoke.prepare, self.house, caller=who, name=id_, given=given)
        return await carry_out(self.store, prepare, revoke.apply)

    async def ask(self, id_: str, text: str, by: str = "reviewer") -> Accepted:
        who = caller(self.id, by)
        prepare = partial(ask.prepare, self.house, caller=who, name=id_, given=TextInput(text))
        return await carry_out(self.store, prepare, ask.apply)

    async def answer(self, id_: str, text: str, question: int | None = None) -> Accepted:
        """To the question of this number; else to the last one, if there is any."""
        who = caller(self.id, "requester")
        asked = [
            message.n for message in (await self.held()).messages.get(id_, []) if message.type == "question"
        ]
        given = AnswerInput(question or max(asked, default=1), text)
        prepare = partial(answer.prepare, self.house, caller=who, name=id_, given=given)
        return await carry_out(self.store, prepare, answer.apply)

    async def seen(self, id_: str) -> str:
        """The versions that a reviewer would see now."""
        exchange = await self.exchange(id_)
        return f"{exchange.version if exchange else 0}.{await self.store.read(holdings.current_version)}"

    async def needs(self, **approvals: int) -> None:
        """How many people must `review` or `release` what is exchanged with the other side."""
        sides = {side: Threshold(n) for side, n in approvals.items()}
        given, who = Approvals(kind="server-identity", **sides), caller(self.id, "admin")
        await self.store.write(lambda tx: set_approvals.replace(self.house, tx, who, OTHER[self.id], given))

    async def set_policy(self, text: str) -> None:
        prepare = partial(set_policy.prepare, self.house, caller=caller(self.id, "admin"), text=text)
        await carry_out(self.store, prepare, set_policy.apply)

    # What its server does.

    async def look(self, limit: int = 16) -> list[Queued]:
        now = to_ms(self.house.clock())
        return await self.store.read(partial(outbox.ready, partner=OTHER[self.id], now=now, limit=limit))

    async def post(self, looked: list[Queued]) -> list[Letter]:
        """Sign and send those of what was found that still wait."""
        now = self.house.clock()
        waiting = await self.store.write(partial(outbox.attempt, batch=looked, now=to_ms(now)))
        return [await self._letter(queued, int(now.timestamp())) for queued in waiting]

    async def _letter(self, queued: Queued, now: int) -> Letter:
        stored = await self.store.read(
            lambda tx: messages.at(tx, queued.primary_system, queued.id, self.id, queued.n)
        )
        assert stored is not None
        exchange = f"{queued.primary_system}/{queued.id}"
        signature = self.own.sign(
            stored.body, to=OTHER[self.id], typ="acm-message", now=now, exchange=exchange, n=queued.n
        )
        return Letter(queued, self.id, stored.body, signature)

    async def take(self, letter: Letter) -> Word:
        """The signature is checked, the message taken by its flow, the reply signed."""
        primary, id_, sender, n, digest = letter.place
        place = {"exchange": f"{primary}/{id_}", "n": n, "now": int(self.house.clock().timestamp())}
        arrived = Arrived(sender, primary, id_, n, letter.body, digest, letter.signature)
        keys, names = self.peer.keys, {"iss": sender, "aud": self.id}
        refusals = Refusals(self.house, self.store)
        try:
            verify(letter.signature, letter.body, keys, **names, typ="acm-message", **place)
        except ClockAhead as error:
            reply = await receive.refuse(self.house, self.store, refusals, arrived, error)
        else:
            reply = await receive.receive(self.house, self.store, refusals, arrived)
        return Word(letter, reply, self.own.sign(reply.body, to=sender, typ=reply.typ, **place))

    async def hear(self, word: Word) -> None:
        """The reply's signature and digest are checked, and it is handed to its flow."""
        queued, reply = word.letter.queued, word.reply
        primary, id_, _, n, digest = word.letter.place
        now = self.house.clock()
        verify(
            word.signature,
            reply.body,
            self.peer.keys,
            iss=self.peer.metadata.system,
            aud=self.id,
            typ=reply.typ,
            exchange=f"{primary}/{id_}",
            n=n,
            now=int(now.timestamp()),
        )
        said = meaning(word)
        assert said.digest == digest
        replied = Replied(queued, self.id, reply.body, word.signature, to_ms(now))
        await self.store.write(partial(record, replied=replied, word=said))

    async def tick(self) -> None:
        while await clockwork.tick(self.house, self.store):
            pass

    # What it holds.

    async def exchange(self, id_: str) -> Exchange | None:
        """As its own people would find it."""
        try:
            return await self.store.read(lambda tx: find(tx, caller(self.id, "admin"), id_))
        except NotFound:
            return None

    async def held(self) -> Held:
        def look(tx: Any) -> Held:
            every = {e.id: e for e in exchanges.page(tx, asker=None, before=None, limit=1000)}
            keys = [(e.primary_system, e.id) for e in every.values()]
            return Held(
                every,
                {id_: journal.of_exchange(tx, primary, id_) for primary, id_ in keys},
                {id_: messages.of_exchange(tx, primary, id_) for primary, id_ in keys},
                [queued for primary, id_ in keys for queued in outbox.of_exchange(tx, primary, id_)],
            )

        return await self.store.read(look)


class Way:
    """How `asks` reaches the other side for a comparison: as `Wire` does, without HTTP."""

    def __init__(self, to: Side, asks: Side) -> None:
        self._to = to
        self._asks = asks
        self.peer = asks.peer

    async def exchanges(self, since: datetime, after: str, limit: int) -> ExchangesPage:
        to = self._to
        if to.house.clock() > self._asks.house.clock() + timedelta(minutes=5):
            raise LinkDown("the page is signed in our future")
        asked = {"since": to_ms(since), "after": after, "limit": limit}
        body = await to.store.read(lambda tx: tell_exchanges.page(to.house, tx, self._asks.id, **asked))  # type: ignore[arg-type]
        return msgspec.json.decode(body, type=ExchangesPage)

    async def message(self, primary: str, id_: str, sender: Role, n: int) -> tuple[bytes, str]:
        to, asks = self._to, self._asks.id
        place: dict[str, Any] = {"primary": primary, "id_": id_, "sender": sender, "n": n}
        stored = await to.store.read(lambda tx: tell_exchanges.message(to.house, tx, asks, **place))
        now, exchange = int(to.house.clock().timestamp()), f"{primary}/{id_}"
        seal = stored.signature or to.own.sign(
            stored.body, to=asks, typ="acm-message", now=now, exchange=exchange, n=n
        )
        return stored.body, seal


def meaning(word: Word) -> Receipt | Refusal:
    """What the reply says."""
    return msgspec.json.decode(word.reply.body, type=Receipt if word.reply.typ == "acm-receipt" else Refusal)
