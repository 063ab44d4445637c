"""At A: the asker takes a request back; at once while nothing was ever sent, else the partner must say so."""

from msgspec import Struct

from acmx.domain.acm1 import Accepted, WithdrawalInput
from acmx.domain.errors import NotFound
from acmx.domain.exchange import Event, State
from acmx.domain.messages import Person, Withdrawal
from acmx.domain.moments import to_ms, whole
from acmx.flows.exchange import outgoing
from acmx.flows.exchange.change import move
from acmx.flows.exchange.find import find_own
from acmx.flows.house import House
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges, outbox
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored
from acmx.storage.partnership import partners
from acmx.trust.roles import Caller


class Plan(Struct, frozen=True):
    """The exchange as it was read, and the withdrawal in case something was sent. `at` in milliseconds."""

    exchange: Exchange
    actor: str
    withdrawal: Stored
    at: int


def prepare(house: House, tx: Tx, caller: Caller, name: str, given: WithdrawalInput) -> Plan:
    """Raises NotAllowed, NotFound."""
    caller.must("withdraw")
    exchange = find_own(tx, caller, name, "withdraws a request")
    now = whole(house.clock())
    withdrawal = Withdrawal(
        **outgoing.heading(house, exchange, now),
        asker=Person(exchange.asker),
        reason=given.reason,
    )
    return Plan(
        exchange, caller.mc_service_id, outgoing.minted(withdrawal, exchange.primary_system), to_ms(now)
    )


def apply(tx: Tx, plan: Plan) -> Accepted:
    """Raises NotNow where the exchange has ended, StaleError where it has changed since it was read."""
    exchange = exchanges.find(tx, plan.exchange.primary_system, plan.exchange.id)
    if exchange is None:
        raise NotFound
    if exchange.state in (State.WITHDRAWING, State.WITHDRAWN):
        return Accepted(exchange.id, exchange.state)
    request = outbox.find(tx, exchange.primary_system, exchange.id, 1)
    unsent = request.first_sent_at is None if request else exchange.state is State.AWAITING_RELEASE
    if unsent and _remembers(tx, exchange):
        moved = move(tx, plan.exchange, Event.WITHDRAWN_UNSENT, plan.actor, plan.at, due_at=None)
        outbox.clear(tx, exchange.primary_system, exchange.id)
        return Accepted(moved.id, moved.state)
    moved = move(
        tx, plan.exchange, Event.WITHDRAWAL_ASKED, plan.actor, plan.at, due_at=None, sent_n=plan.withdrawal.n
    )
    outbox.clear(tx, exchange.primary_system, exchange.id)
    outgoing.send(tx, plan.withdrawal, exchange.partner, exchange.expires_at)
    return Accepted(moved.id, moved.state)


def _remembers(tx: Tx, exchange: Exchange) -> bool:
    """What was there when a comparison became due may have been sent by a system that was restored since."""
    partner = partners.find(tx, exchange.partner)
    due_at = partner.comparison_due_at if partner else None
    return due_at is None or exchange.created_at >= due_at
