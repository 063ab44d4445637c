"""At B: the primary takes its request back. What is decided stays decided; what is unknown is withdrawn beforehand."""

from msgspec import Struct

from acmx.domain.exchange import UNDECIDED, Event, State
from acmx.domain.messages import Status, Withdrawal
from acmx.domain.moments import to_ms, whole
from acmx.flows.acm2 import replies
from acmx.flows.acm2.arrivals import Arrived
from acmx.flows.exchange import outgoing
from acmx.flows.exchange.change import begin, move
from acmx.flows.house import House
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored


class Plan(Struct, frozen=True):
    """The exchange as it was read, or the tombstone of one that never arrived; the withdrawal and its receipt."""

    exchange: Exchange
    known: bool
    withdrawal: Stored
    receipt: bytes


def prepare(house: House, tx: Tx, arrived: Arrived, withdrawal: Withdrawal) -> Plan:
    now = whole(house.clock())
    known = exchanges.find(tx, arrived.primary, arrived.id)
    stands = known is not None and known.state in (State.DECIDED, State.DELIVERED)
    status: Status = "decided" if stands else "withdrawn"
    receipt = replies.receipt(house, arrived, status, now)
    kept = replies.taken(arrived, "withdrawal", receipt, to_ms(now))
    return Plan(known or _tombstone(arrived, withdrawal, to_ms(now)), known is not None, kept, receipt)


def apply(tx: Tx, plan: Plan) -> bytes:
    """The receipt. Raises StaleError where the exchange changed or came to be meanwhile."""
    exchange, withdrawal = plan.exchange, plan.withdrawal
    outgoing.keep(tx, withdrawal)
    at, digest = withdrawal.stored_at, withdrawal.digest
    if not plan.known:
        begin(tx, exchange, Event.WITHDRAWAL, exchange.partner, at, digest=digest)
        return plan.receipt
    due = None if exchange.state in UNDECIDED else exchange.due_at
    received = max(exchange.received_n, withdrawal.n)
    detail: dict[str, object] = {"digest": digest}
    move(tx, exchange, Event.WITHDRAWAL, exchange.partner, at, detail=detail, due_at=due, received_n=received)
    return plan.receipt


def _tombstone(arrived: Arrived, withdrawal: Withdrawal, at: int) -> Exchange:
    return Exchange(
        serial=None,
        role="partner",
        primary_system=arrived.primary,
        id=arrived.id,
        partner=arrived.peer,
        state=State.WITHDRAWN,
        version=0,
        kind=None,
        asker=withdrawal.asker.mc_service_id,
        addressee=None,
        urgency="normal",
        purpose="",
        reference=None,
        user_count=0,
        sent_n=0,
        received_n=arrived.n,
        created_at=at,
        expires_at=None,
        due_at=None,
    )
