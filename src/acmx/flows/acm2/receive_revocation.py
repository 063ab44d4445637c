"""At A: the partner takes back what it approved, for some users or for all; the asker is told."""

from typing import Any

from msgspec import Struct

from acmx.domain.errors import InvalidMessage
from acmx.domain.exchange import Event
from acmx.domain.faults import Fault
from acmx.domain.messages import Revocation
from acmx.domain.moments import to_ms, whole
from acmx.flows.acm2 import replies
from acmx.flows.acm2.arrivals import Arrived
from acmx.flows.acm2.receive_update import changed
from acmx.flows.exchange import outgoing
from acmx.flows.exchange.change import move
from acmx.flows.exchange.revoke import ended
from acmx.flows.house import House
from acmx.flows.provisioning import reprovision
from acmx.storage.engine import Tx
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored


class Plan(Struct, frozen=True):
    """The exchange as it was read, the revocation, how many users it is of and how many stay, and its receipt."""

    exchange: Exchange
    revocation: Stored
    handler: str
    users: int
    left: int
    receipt: bytes


def prepare(house: House, tx: Tx, arrived: Arrived, revocation: Revocation) -> Plan:
    """Raises InvalidMessage (final); UnknownExchange, OutOfOrder, Contradiction (sent again)."""
    exchange, stands = changed(house, tx, arrived, Event.REVOCATION)
    approved = set(stands.approved)
    if strange := [user for user in revocation.users if user not in approved]:
        raise InvalidMessage([Fault("users", user, "was not approved") for user in strange[:20]])
    left = stands.left_without(revocation.users)
    now = whole(house.clock())
    receipt = replies.receipt(house, arrived, "stored", now)
    kept = replies.taken(arrived, "revocation", receipt, to_ms(now))
    return Plan(exchange, kept, revocation.handler.mc_service_id, len(revocation.users), left, receipt)


def apply(tx: Tx, plan: Plan) -> bytes:
    """The receipt. Raises StaleError where the exchange has changed since it was read."""
    exchange, revocation = plan.exchange, plan.revocation
    outgoing.keep(tx, revocation)
    detail: dict[str, object] = {"digest": revocation.digest, "handler": plan.handler}
    fields: dict[str, Any] = {"received_n": max(exchange.received_n, revocation.n), **ended(plan.left)}
    moved = move(
        tx,
        exchange,
        Event.REVOCATION,
        exchange.partner,
        revocation.stored_at,
        detail=detail | {"users": plan.users, "left": plan.left},
        **fields,
    )
    reprovision.want(tx, moved, revocation.stored_at)
    return plan.receipt
