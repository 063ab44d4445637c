"""Step 18 at A: the asker retrieves the response; its commit is «retrieved», and it may be retrieved again."""

from msgspec import Struct

from acmx.domain.acm1 import Answer
from acmx.domain.errors import NotFound, NotNow, NotYet
from acmx.domain.exchange import UNANSWERED, Event, State
from acmx.domain.messages import Agent, Automatic, Person
from acmx.domain.moments import to_ms
from acmx.flows.exchange.change import move
from acmx.flows.exchange.find import find_own
from acmx.flows.exchange.grant import Standing, standing
from acmx.flows.house import House
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges, messages, step_times
from acmx.storage.exchange.exchanges import Exchange
from acmx.trust.roles import Caller

WAITING = (State.AWAITING_RELEASE, *UNANSWERED, State.WITHDRAWING)


class Plan(Struct, frozen=True):
    """The answer as the asker gets it. `at` in milliseconds."""

    exchange: Exchange
    answer: Answer
    actor: str
    at: int


def prepare(house: House, tx: Tx, caller: Caller, name: str) -> Plan:
    """Raises NotAllowed, NotFound, NotYet while the partner has not answered, NotNow where it never will."""
    caller.must("retrieve")
    exchange = find_own(tx, caller, name, "retrieves the response")
    if exchange.state in WAITING:
        raise NotYet(f"the exchange is {exchange.state}", state=exchange.state)
    stored = messages.of_exchange(tx, exchange.primary_system, exchange.id)
    if not any(message.type == "response" for message in stored):
        raise NotNow(f"the exchange is {exchange.state}: there is no response", state=exchange.state)
    stands = standing(stored)
    if stands is None:
        raise NotNow("the response was removed at the end of its retention", state=exchange.state)
    return Plan(exchange, _answer(exchange, stands), caller.mc_service_id, to_ms(house.clock()))


def apply(tx: Tx, plan: Plan) -> Answer:
    """Raises StaleError where the exchange has changed since it was read."""
    exchange = exchanges.find(tx, plan.exchange.primary_system, plan.exchange.id)
    if exchange is None:
        raise NotFound
    step_times.put(tx, exchange.primary_system, exchange.id, plan.actor, [(18, plan.at)])
    if exchange.state is State.ANSWERED:
        move(tx, plan.exchange, Event.RETRIEVED, plan.actor, plan.at)
    return plan.answer


def _answer(exchange: Exchange, stands: Standing) -> Answer:
    response = stands.response
    handler = response.handler
    automatic = isinstance(handler, Automatic | Agent)
    return Answer(
        id=exchange.id,
        partner=exchange.partner,
        outcome=response.outcome,
        handler=None
        if isinstance(handler, Automatic)
        else Person(handler.mc_service_id, handler.functional_alias),
        automatic=automatic,
        decided_at=response.decided_at,
        reason=response.reason,
        verdicts=response.verdicts,
        valid_from=response.valid_from,
        valid_until=response.valid_until,
        content=stands.content,
        updated_at=stands.updated_at,
        revoked=tuple(user for user in stands.approved if user in stands.revoked),
    )
