"""At B: whoever may decide a request asks the primary system about it; the time to decide goes on."""

from msgspec import Struct

from acmx.domain.acm1 import Accepted, TextInput
from acmx.domain.errors import NotNow
from acmx.domain.exchange import Event
from acmx.domain.messages import Person, Question
from acmx.domain.moments import whole
from acmx.flows.exchange import outgoing
from acmx.flows.exchange.change import move
from acmx.flows.exchange.conversation import asked_last
from acmx.flows.exchange.find import addressed_as, find
from acmx.flows.house import House
from acmx.storage.engine import Tx
from acmx.storage.exchange import messages
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored
from acmx.trust.roles import Caller


class Plan(Struct, frozen=True):
    """The exchange as it was read, and the question; None where the same person has just asked it."""

    exchange: Exchange
    actor: str
    question: Stored | None


def prepare(house: House, tx: Tx, caller: Caller, name: str, given: TextInput) -> Plan:
    """Raises NotAllowed, NotFound, NotNow where there is no request of a partner."""
    caller.must("review")
    exchange = find(tx, caller, name)
    if exchange.role != "partner":
        raise NotNow("there is no request of a partner to ask about", state=exchange.state)
    stored = messages.of_exchange(tx, exchange.primary_system, exchange.id)
    if asked_last(stored, caller.mc_service_id, given.text):
        return Plan(exchange, caller.mc_service_id, None)
    alias = addressed_as(caller, exchange)
    question = Question(
        **outgoing.heading(house, exchange, whole(house.clock())),
        handler=Person(caller.mc_service_id, alias),
        text=given.text,
    )
    return Plan(exchange, caller.mc_service_id, outgoing.minted(question, exchange.primary_system))


def apply(tx: Tx, plan: Plan) -> Accepted:
    """Raises NotNow where the outcome stands, StaleError where the exchange has changed since it was read."""
    exchange, question = plan.exchange, plan.question
    if question is None:
        return Accepted(exchange.id, exchange.state)
    detail: dict[str, object] = {"digest": question.digest}
    moved = move(
        tx,
        exchange,
        Event.QUESTION_ASKED,
        plan.actor,
        question.stored_at,
        detail=detail,
        sent_n=question.n,
    )
    outgoing.send(tx, question, exchange.partner, exchange.expires_at)
    return Accepted(moved.id, moved.state)
