"""At B: the asker's answer. It is kept however late it comes; only one to the last question ends the waiting for it."""

from msgspec import Struct

from acmx.domain.errors import Contradiction, UnknownExchange
from acmx.domain.exchange import Event, transition
from acmx.domain.messages import Answer
from acmx.domain.moments import to_ms, whole
from acmx.flows.acm2 import replies
from acmx.flows.acm2.arrivals import Arrived, in_order
from acmx.flows.exchange import outgoing
from acmx.flows.exchange.change import move
from acmx.flows.exchange.conversation import last_question
from acmx.flows.house import House
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges, messages
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored


class Plan(Struct, frozen=True):
    """The exchange as it was read, the answer, which question it is to, and its receipt."""

    exchange: Exchange
    answer: Stored
    question: int
    event: Event
    receipt: bytes


def prepare(house: House, tx: Tx, arrived: Arrived, answer: Answer) -> Plan:
    """Raises UnknownExchange, OutOfOrder, Contradiction: it is sent again."""
    exchange = exchanges.find(tx, arrived.primary, arrived.id)
    if exchange is None:
        raise UnknownExchange
    in_order(tx, arrived)
    stored = messages.of_exchange(tx, arrived.primary, arrived.id)
    question = next((m for m in stored if (m.type, m.digest) == ("question", answer.answers)), None)
    if question is None:
        raise Contradiction("there is no question here that it answers")
    event = Event.ANSWER if question == last_question(stored) else Event.EARLIER_ANSWER
    if transition(exchange.role, exchange.state, event) is None:
        raise Contradiction(f"the exchange is {exchange.state} here")
    now = whole(house.clock())
    receipt = replies.receipt(house, arrived, "stored", now)
    kept = replies.taken(arrived, "answer", receipt, to_ms(now))
    return Plan(exchange, kept, question.n, event, receipt)


def apply(tx: Tx, plan: Plan) -> bytes:
    """The receipt. Raises StaleError where the exchange has changed since it was read."""
    exchange, answer = plan.exchange, plan.answer
    outgoing.keep(tx, answer)
    detail: dict[str, object] = {"digest": answer.digest, "question": plan.question}
    received = max(exchange.received_n, answer.n)
    move(tx, exchange, plan.event, exchange.partner, answer.stored_at, detail=detail, received_n=received)
    return plan.receipt
