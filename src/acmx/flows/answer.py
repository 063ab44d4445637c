"""At A: the asker answers the partner's last question."""

from msgspec import Struct

from acmx.domain.acm1 import Accepted, TextInput
from acmx.domain.errors import NotNow
from acmx.domain.exchange import Event
from acmx.domain.messages import Answer, Person
from acmx.domain.moments import whole
from acmx.flows import outgoing
from acmx.flows.change import move
from acmx.flows.conversation import last_question, said_last
from acmx.flows.find import find_own
from acmx.flows.house import House
from acmx.storage import messages
from acmx.storage.engine import Tx
from acmx.storage.exchanges import Exchange
from acmx.storage.messages import Stored
from acmx.trust.roles import Caller


class Plan(Struct, frozen=True):
    """The exchange as it was read, and the answer; None where it was given just now."""

    exchange: Exchange
    actor: str
    answer: Stored | None


def prepare(house: House, tx: Tx, caller: Caller, name: str, given: TextInput) -> Plan:
    """Raises NotAllowed, NotFound, NotNow where the partner has not asked."""
    caller.must("answer")
    exchange = find_own(tx, caller, name, "answers the partner")
    stored = messages.of_exchange(tx, exchange.primary_system, exchange.id)
    if said_last(stored, "answer", caller.mc_service_id, given.text):
        return Plan(exchange, caller.mc_service_id, None)
    question = last_question(stored)
    if question is None:
        raise NotNow("the partner has asked nothing", state=exchange.state)
    answer = Answer(
        **outgoing.heading(house, exchange, whole(house.clock())),
        asker=Person(exchange.asker),
        answers=question.digest,
        text=given.text,
    )
    return Plan(exchange, caller.mc_service_id, outgoing.minted(answer, exchange.primary_system))


def apply(tx: Tx, plan: Plan) -> Accepted:
    """Raises NotNow where no question is open, StaleError where the exchange has changed since it was read."""
    exchange, answer = plan.exchange, plan.answer
    if answer is None:
        return Accepted(exchange.id, exchange.state)
    detail: dict[str, object] = {"digest": answer.digest}
    moved = move(
        tx, exchange, Event.ANSWER_SENT, plan.actor, answer.stored_at, detail=detail, sent_n=answer.n
    )
    outgoing.send(tx, answer, exchange.partner, exchange.expires_at)
    return Accepted(moved.id, moved.state)
