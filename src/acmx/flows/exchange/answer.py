"""At A: the asker answers a question of the partner; the answer to the last one ends the waiting."""

import msgspec
from msgspec import Struct

from acmx.domain.acm1 import Accepted, AnswerInput
from acmx.domain.errors import FaultyInput, NotNow
from acmx.domain.exchange import Event
from acmx.domain.faults import Fault
from acmx.domain.messages import Answer, Person
from acmx.domain.moments import whole
from acmx.flows.exchange import outgoing
from acmx.flows.exchange.change import move
from acmx.flows.exchange.conversation import asked
from acmx.flows.exchange.find import find_own
from acmx.flows.house import House
from acmx.storage.engine import Tx
from acmx.storage.exchange import messages
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored
from acmx.trust.roles import Caller


class Plan(Struct, frozen=True):
    """The exchange as it was read, the question, and the answer; None where it was given before."""

    exchange: Exchange
    actor: str
    question: int
    event: Event
    answer: Stored | None


def prepare(house: House, tx: Tx, caller: Caller, name: str, given: AnswerInput) -> Plan:
    """Raises NotAllowed, NotFound, FaultyInput where the partner has not asked that, NotNow where it was answered."""
    caller.must("answer")
    exchange = find_own(tx, caller, name, "answers the partner")
    questions = asked(messages.of_exchange(tx, exchange.primary_system, exchange.id))
    if not questions:
        raise NotNow("the partner has asked nothing", state=exchange.state)
    meant = next((one for one in questions if one.stored.n == given.question), None)
    if meant is None:
        known = ", ".join(str(one.stored.n) for one in questions)
        raise FaultyInput(
            [Fault("question", str(given.question), f"must be a question of the partner: {known}")]
        )
    event = Event.ANSWER_SENT if meant is questions[-1] else Event.EARLIER_ANSWER_SENT
    plan = Plan(exchange, caller.mc_service_id, given.question, event, None)
    if any(answer.text == given.text for answer in meant.answers):
        return plan
    if meant.answers:
        raise NotNow(f"question {given.question} has been answered", state=exchange.state)
    answer = Answer(
        **outgoing.heading(house, exchange, whole(house.clock())),
        asker=Person(exchange.asker),
        answers=meant.stored.digest,
        text=given.text,
    )
    return msgspec.structs.replace(plan, answer=outgoing.minted(answer, exchange.primary_system))


def apply(tx: Tx, plan: Plan) -> Accepted:
    """Raises NotNow where no question is open, StaleError where the exchange has changed since it was read."""
    exchange, answer = plan.exchange, plan.answer
    if answer is None:
        return Accepted(exchange.id, exchange.state)
    detail: dict[str, object] = {"digest": answer.digest, "question": plan.question}
    moved = move(tx, exchange, plan.event, plan.actor, answer.stored_at, detail=detail, sent_n=answer.n)
    outgoing.send(tx, answer, exchange.partner, exchange.expires_at)
    return Accepted(moved.id, moved.state)
