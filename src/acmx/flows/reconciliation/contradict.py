"""Two signed bodies claim one place, or two responses one exchange: one stands, both are kept and told of."""

from datetime import datetime

import msgspec

from acmx.domain.errors import InvalidMessage
from acmx.domain.exchange import Event, transition
from acmx.domain.messages import Response
from acmx.domain.moments import to_ms, whole
from acmx.flows.acm2 import receive_response, replies
from acmx.flows.acm2.arrivals import Arrived
from acmx.flows.exchange import outgoing
from acmx.flows.exchange.change import move
from acmx.flows.exchange.grant import standing
from acmx.flows.exchange.response import granted_by
from acmx.flows.exchange.revoke import ended
from acmx.flows.house import House
from acmx.storage.engine import Tx
from acmx.storage.exchange import contradictions, exchanges, messages, outbox
from acmx.storage.exchange.contradictions import Contradicted
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored


class _Minted(msgspec.Struct, frozen=True):
    created_at: datetime


def fall(house: House, tx: Tx, peer: str, fallen: Stored, stands: Stored) -> None:
    """What the receiver took stands; the other body has no effect."""
    exchange = exchanges.find(tx, fallen.primary_system, fallen.id)
    at = to_ms(house.clock())
    if exchange is None or not keep(tx, fallen, at):
        return
    move(tx, exchange, Event.CONTRADICTED, peer, at, detail=_detail(fallen, stands))


def set_aside(house: House, tx: Tx, peer: str, held: Stored, stands: Stored) -> None:
    """One of ours leaves its place to an older one of ours that the partner took."""
    fall(house, tx, peer, held, stands)
    messages.remove(tx, held)
    outbox.remove(tx, held.primary_system, held.id, held.n)


def settle(house: House, tx: Tx, peer: str, held: Stored, other: Stored, response: Response) -> None:
    """Of two responses the one minted earlier stands (tie: the smaller digest)."""
    exchange = exchanges.find(tx, held.primary_system, held.id)
    if exchange is None:
        return
    if not (held.body and _precedes(other, held) and _may_replace(tx, exchange, response)):
        fall(house, tx, peer, other, held)
        return
    now = whole(house.clock())
    if not keep(tx, held, to_ms(now)):
        return
    messages.remove(tx, held)
    kept = _kept(house, other, now)
    outgoing.keep(tx, kept)
    ours = other.sender == house.system
    count = "sent_n" if ours else "received_n"
    detail = _detail(held, other) | {"outcome": response.outcome}
    fields = {count: max(getattr(exchange, count), other.n)} | granted_by(response)
    stands = standing(messages.of_exchange(tx, held.primary_system, held.id))
    if stands is not None and stands.revocations and fields["grant_state"] == "live":
        fields |= ended(len(stands.users))
    exchange = move(tx, exchange, Event.RECONCILED, peer, to_ms(now), detail=detail, **fields)
    if ours:
        outbox.remove(tx, held.primary_system, held.id, held.n)
        outgoing.queue(tx, kept, peer, exchange.expires_at, first_sent_at=to_ms(now))


def keep(tx: Tx, fallen: Stored, at: int) -> bool:
    """To be shown to people beside what stands. False where it is known."""
    return contradictions.insert(
        tx,
        Contradicted(
            fallen.primary_system,
            fallen.id,
            fallen.sender,
            fallen.n,
            fallen.type,
            fallen.digest,
            fallen.body,
            fallen.signature,
            at,
        ),
    )


def _detail(fallen: Stored, stands: Stored) -> dict[str, object]:
    return {"n": fallen.n, "sender": fallen.sender, "stands": stands.digest}


def _may_replace(tx: Tx, exchange: Exchange, response: Response) -> bool:
    request = messages.at(tx, exchange.primary_system, exchange.id, exchange.primary_system, 1)
    if request is None or transition(exchange.role, exchange.state, Event.RECONCILED) is None:
        return False
    try:
        receive_response.check(request, response)
    except InvalidMessage:
        return False
    return True


def _precedes(one: Stored, other: Stored) -> bool:
    return _when(one) < _when(other)


def _when(stored: Stored) -> tuple[datetime, str]:
    return msgspec.json.decode(stored.body, type=_Minted).created_at, stored.digest


def _kept(house: House, stored: Stored, now: datetime) -> Stored:
    """Ours waits for the partner's word again; theirs has ours."""
    if stored.sender == house.system:
        return msgspec.structs.replace(stored, signature=None)
    place = (stored.primary_system, stored.id, stored.n)
    arrived = Arrived(stored.sender, *place, stored.body, stored.digest, stored.signature or "")
    return replies.taken(arrived, stored.type, replies.receipt(house, arrived, "stored", now), to_ms(now))
