"""Two signed bodies claim one place, or two responses one exchange: the earlier stands, both are kept and told of."""

from datetime import datetime

import msgspec

from acmx.domain.errors import InvalidMessage
from acmx.domain.exchange import Event, State, transition
from acmx.domain.messages import AnyMessage, Response, Status
from acmx.domain.moments import to_ms, whole
from acmx.flows import outgoing, receive_response, replies
from acmx.flows.arrivals import Arrived
from acmx.flows.change import move
from acmx.flows.house import House
from acmx.flows.response import granted_by
from acmx.storage import contradictions, exchanges, messages, outbox
from acmx.storage.contradictions import Contradicted
from acmx.storage.engine import Tx
from acmx.storage.exchanges import Exchange
from acmx.storage.messages import Stored


class _Minted(msgspec.Struct, frozen=True):
    created_at: datetime


def rival(tx: Tx, other: Stored, message: AnyMessage) -> Stored | None:
    """What stands where `other` claims to: at its place, or, of a response, as the response of its exchange."""
    held = messages.at(tx, other.primary_system, other.id, other.sender, other.n)
    if held is not None or not isinstance(message, Response):
        return held
    stored = messages.of_exchange(tx, other.primary_system, other.id)
    return next((m for m in stored if m.type == "response"), None)


def settle(house: House, tx: Tx, peer: str, held: Stored, other: Stored, message: AnyMessage) -> None:
    """The one minted earlier stands (tie: the smaller digest). A request that was taken is never replaced."""
    exchange = exchanges.find(tx, held.primary_system, held.id)
    if exchange is None or held.digest == other.digest:
        return
    now = whole(house.clock())
    replaced = bool(held.body) and _precedes(other, held) and _may_replace(tx, exchange, held, message)
    falls, stands = (held, other) if replaced else (other, held)
    if not contradictions.insert(tx, _contradicted(falls, to_ms(now))):
        return
    detail: dict[str, object] = {"n": falls.n, "sender": falls.sender, "stands": stands.digest}
    if not replaced:
        move(tx, exchange, Event.CONTRADICTED, peer, to_ms(now), detail=detail)
        return
    messages.remove(tx, held)
    kept = _kept(house, exchange, other, now)
    outgoing.keep(tx, kept)
    count = "sent_n" if other.sender == house.system else "received_n"
    fields = {count: max(getattr(exchange, count), other.n)}
    event = Event.CONTRADICTED
    if isinstance(message, Response):
        event, fields = Event.RECONCILED, fields | granted_by(message)
        detail["outcome"] = message.outcome
    exchange = move(tx, exchange, event, peer, to_ms(now), detail=detail, **fields)
    if other.sender == house.system:
        outbox.remove(tx, held.primary_system, held.id, held.n)
        outgoing.queue(tx, kept, peer, exchange.expires_at, first_sent_at=to_ms(now))


def _may_replace(tx: Tx, exchange: Exchange, held: Stored, message: AnyMessage) -> bool:
    if held.type != type(message).__name__.lower() or held.type == "request":
        return False
    if not isinstance(message, Response):
        return True
    request = messages.at(tx, held.primary_system, held.id, exchange.primary_system, 1)
    if request is None or transition(exchange.role, exchange.state, Event.RECONCILED) is None:
        return False
    try:
        receive_response.check(request, message)
    except InvalidMessage:
        return False
    return True


def _precedes(one: Stored, other: Stored) -> bool:
    return _when(one) < _when(other)


def _when(stored: Stored) -> tuple[datetime, str]:
    return msgspec.json.decode(stored.body, type=_Minted).created_at, stored.digest


def _kept(house: House, exchange: Exchange, stored: Stored, now: datetime) -> Stored:
    """Ours waits for the partner's word again; theirs has ours."""
    if stored.sender == house.system:
        return msgspec.structs.replace(stored, signature=None)
    place = (stored.primary_system, stored.id, stored.n)
    arrived = Arrived(stored.sender, *place, stored.body, stored.digest, stored.signature or "")
    status: Status = "stored"
    if stored.type == "withdrawal":
        status = "decided" if exchange.state in (State.DECIDED, State.DELIVERED) else "withdrawn"
    return replies.taken(arrived, stored.type, replies.receipt(house, arrived, status, now), to_ms(now))


def _contradicted(stored: Stored, at: int) -> Contradicted:
    return Contradicted(
        stored.primary_system,
        stored.id,
        stored.sender,
        stored.n,
        stored.type,
        stored.digest,
        stored.body,
        stored.signature,
        at,
    )
