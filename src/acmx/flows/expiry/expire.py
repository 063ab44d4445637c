"""What time alone changes: B decides `expired`; A shows `overdue`, or refuses what nobody released; a grant ends.

Asked for by the clockwork.
"""

from msgspec import Struct

from acmx.domain.exchange import UNDECIDED, Event, State
from acmx.domain.moments import to_ms, whole
from acmx.flows.exchange import decide, response
from acmx.flows.exchange.change import move
from acmx.flows.exchange.decide import Decision
from acmx.flows.house import House
from acmx.flows.operations import suspend_expiry
from acmx.flows.provisioning import reprovision
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges, messages
from acmx.storage.exchange.exchanges import Exchange

AT_ONCE = 50


class Plan(Struct, frozen=True):
    """One exchange that is due; with a decision where B has to expire it. `at` in milliseconds."""

    exchange: Exchange
    at: int
    decision: Decision | None = None


def due(house: House, tx: Tx) -> list[Exchange]:
    """The exchanges that are due now, a batch of them; none while the clock is in doubt."""
    if suspend_expiry.doubted(house, tx):
        return []
    return exchanges.due(tx, to_ms(house.clock()), AT_ONCE)


def prepare(house: House, tx: Tx, exchange: Exchange) -> Plan:
    now = whole(house.clock())
    request = messages.at(tx, exchange.primary_system, exchange.id, exchange.partner, 1)
    if exchange.role != "partner" or exchange.state not in UNDECIDED or request is None:
        return Plan(exchange, to_ms(now))
    decided = response.expired(response.read_request(request))
    minted = response.minted(house, exchange, request, decided, now)
    return Plan(exchange, to_ms(now), Decision(Event.EXPIRED, "clock", decided, minted))


def apply(tx: Tx, plan: Plan) -> None:
    """Does nothing where the exchange has changed since it was read: it is due again if it still is."""
    exchange = exchanges.find(tx, plan.exchange.primary_system, plan.exchange.id)
    if exchange is None or exchange.version != plan.exchange.version or exchange.due_at is None:
        return
    if plan.decision is not None:
        decide.apply(tx, exchange, plan.decision)
    elif exchange.grant_state == "live":
        ended = move(tx, exchange, Event.GRANT_ENDED, "clock", plan.at, due_at=None, grant_state="ended")
        reprovision.want(tx, ended, plan.at)
    else:
        unreleased = exchange.state is State.AWAITING_RELEASE
        reason = "the request expired before it was released" if unreleased else exchange.reason
        move(tx, exchange, Event.EXPIRED, "clock", plan.at, due_at=None, reason=reason)
