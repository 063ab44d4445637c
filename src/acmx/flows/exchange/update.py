"""At B: after the server identity information has changed, each primary with a live grant is sent what it gives now.

Asked for by the clockwork, some exchanges in one transaction. How far it has come is in each exchange (`catalogue`), so
it goes on after a crash. What differs in nothing is not sent, and an update that never left makes room for the next.
"""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from acmx.domain.errors import AcmxError
from acmx.domain.exchange import Event
from acmx.domain.messages import VERSION, Receipt, Update
from acmx.domain.moments import to_ms, whole
from acmx.flows.exchange import outgoing
from acmx.flows.exchange.change import move
from acmx.flows.exchange.grant import standing
from acmx.flows.exchange.held import current_catalogue
from acmx.flows.exchange.response import read_request
from acmx.flows.house import House
from acmx.kinds import kind_named
from acmx.kinds.catalogue import Held
from acmx.storage import holdings
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges, messages, outbox
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored
from acmx.storage.exchange.outbox import Queued

AT_ONCE = 20


class Batch(Struct, frozen=True):
    """Exchanges in which something may have to be said; `id` is that of the first."""

    id: str
    exchanges: list[Exchange]


class Plan(Struct, frozen=True):
    """What is said in each exchange, if anything, of this version."""

    version: int
    said: list[tuple[Exchange, Stored | None]]


def due(house: House, tx: Tx) -> list[Batch]:
    version, now = holdings.current_version(tx), to_ms(house.clock())
    found = exchanges.to_update(tx, version, now, AT_ONCE)
    return [Batch(found[0].id, found)] if found else []


def prepare(house: House, tx: Tx, batch: Batch) -> Plan:
    held = current_catalogue(tx)
    said = [(exchange, _update(house, tx, exchange, held)) for exchange in batch.exchanges]
    return Plan(held.version if held else 0, said)


def apply(tx: Tx, plan: Plan) -> None:
    """Passes over an exchange that has changed since it was read, or whose update is leaving: it is due again."""
    for read, update in plan.said:
        exchange = exchanges.find(tx, read.primary_system, read.id)
        if exchange is None or exchange.version != read.version:
            continue
        if update is None:
            exchanges.knows(tx, exchange, plan.version)
            continue
        if update.n == exchange.sent_n:
            unsent = _unsent(outbox.of_exchange(tx, exchange.primary_system, exchange.id), update.n)
            if unsent is None:
                continue
            outbox.remove(tx, exchange.primary_system, exchange.id, update.n)
            messages.remove(tx, update)
        detail: dict[str, object] = {"digest": update.digest, "n": update.n, "catalogue": plan.version}
        at, fields = update.stored_at, {"sent_n": update.n, "catalogue": plan.version}
        move(tx, exchange, Event.UPDATE_SENT, "clock", at, detail=detail, **fields)
        outgoing.send(tx, update, exchange.partner, exchange.expires_at)


def _update(house: House, tx: Tx, exchange: Exchange, held: Held | None) -> Stored | None:
    """None where the primary knows all there is to say, or has refused the response."""
    key = (exchange.primary_system, exchange.id)
    stored = messages.of_exchange(tx, *key)
    stands = standing(stored)
    if stands is None or stands.request is None or _refused(stored):
        return None
    try:
        asked = read_request(stands.request)
        kind = kind_named(asked.kind)
        content = kind.disclosed(asked, held)
    except AcmxError:
        return None
    if kind.same(stands.content, content):
        return None
    unsent = _unsent(outbox.of_exchange(tx, *key), exchange.sent_n)
    update = Update(
        version=VERSION,
        exchange=exchange.id,
        n=exchange.sent_n + (unsent is None),
        sender=house.system,
        receiver=exchange.partner,
        created_at=whole(house.clock()),
        content=content,
    )
    return outgoing.minted(update, exchange.primary_system)


def _unsent(waiting: Sequence[Queued], n: int) -> Queued | None:
    """The update with this number, if it never left."""
    return next((q for q in waiting if (q.n, q.type, q.first_sent_at) == (n, "update", None)), None)


def _refused(stored: Sequence[Stored]) -> bool:
    reply = next((message.reply for message in stored if message.type == "response"), None)
    if reply is None:
        return False
    try:
        msgspec.json.decode(reply, type=Receipt)
    except msgspec.ValidationError:
        return True
    return False
