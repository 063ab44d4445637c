"""At A: the partner asks about the request; the asker is told."""

from msgspec import Struct

from acmx.domain.errors import Contradiction, UnknownExchange
from acmx.domain.exchange import Event, transition
from acmx.domain.messages import Question
from acmx.domain.moments import to_ms, whole
from acmx.flows.acm2 import replies
from acmx.flows.acm2.arrivals import Arrived, in_order
from acmx.flows.exchange import outgoing, remind
from acmx.flows.exchange.change import move
from acmx.flows.house import House
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored


class Plan(Struct, frozen=True):
    """The exchange as it was read, the question, when the asker is reminded of it, and its receipt."""

    exchange: Exchange
    question: Stored
    handler: str
    remind_at: int | None
    receipt: bytes


def prepare(house: House, tx: Tx, arrived: Arrived, question: Question) -> Plan:
    """Raises UnknownExchange, OutOfOrder, Contradiction: it is sent again."""
    exchange = exchanges.find(tx, arrived.primary, arrived.id)
    if exchange is None or exchange.partner != arrived.peer:
        raise UnknownExchange
    in_order(tx, arrived)
    if transition(exchange.role, exchange.state, Event.QUESTION) is None:
        raise Contradiction(f"the exchange is {exchange.state} here")
    now = whole(house.clock())
    receipt = replies.receipt(house, arrived, "stored", now)
    kept = replies.taken(arrived, "question", receipt, to_ms(now))
    reminded = remind.next_moment(house, exchange, to_ms(now))
    return Plan(exchange, kept, question.handler.mc_service_id, reminded, receipt)


def apply(tx: Tx, plan: Plan) -> bytes:
    """The receipt. Raises StaleError where the exchange has changed since it was read."""
    exchange, question = plan.exchange, plan.question
    outgoing.keep(tx, question)
    detail: dict[str, object] = {"digest": question.digest, "handler": plan.handler}
    received = max(exchange.received_n, question.n)
    at = question.stored_at
    fields = {"received_n": received, "remind_at": plan.remind_at}
    move(tx, exchange, Event.QUESTION, exchange.partner, at, detail=detail, **fields)
    return plan.receipt
