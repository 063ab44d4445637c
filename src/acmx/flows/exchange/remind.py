"""People are reminded before a request expires that waits for them, and somebody else is told if nobody looks.

At B it waits for the reviewers, also while the primary was asked; at A for the asker while a question is open, or for
the reviewers until it is released. Each is told once. Of reminders that fall due together, as after a server was down,
only the last is given.
"""

from typing import NamedTuple

from msgspec import Struct

from acmx.domain.exchange import Audience, State
from acmx.domain.moments import to_ms
from acmx.domain.telling import ESCALATION, REMINDER
from acmx.flows.house import House
from acmx.flows.operations import suspend_expiry
from acmx.storage import journal, notices
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges
from acmx.storage.exchange.exchanges import Exchange

AT_ONCE = 50
HOUR = 3_600_000


class _Moment(NamedTuple):
    """`hours` before the end or after the arrival; `at` in milliseconds."""

    at: int
    event: str
    hours: int


class Plan(Struct, frozen=True):
    """An exchange, what is to be told of it, and when the next is to be told. `at` in milliseconds."""

    exchange: Exchange
    at: int
    told: list[tuple[str, int]]
    next_at: int | None


def next_moment(house: House, exchange: Exchange, now: int) -> int | None:
    """Milliseconds of the first reminder or escalation after `now`."""
    return min((moment.at for moment in _moments(house, exchange) if moment.at > now), default=None)


def due(house: House, tx: Tx) -> list[Exchange]:
    """The exchanges of which somebody is to be told now, a batch of them; none while the clock is in doubt."""
    if suspend_expiry.doubted(house, tx):
        return []
    return exchanges.to_remind(tx, to_ms(house.clock()), AT_ONCE)


def prepare(house: House, _tx: Tx, exchange: Exchange) -> Plan:
    now = to_ms(house.clock())
    past = {m.event: (m.event, m.hours) for m in _moments(house, exchange) if m.at <= now}
    return Plan(exchange, now, list(past.values()), next_moment(house, exchange, now))


def apply(tx: Tx, plan: Plan) -> None:
    """Does nothing where the exchange has changed since it was read: it is due again if it still is."""
    exchange = plan.exchange
    if not exchanges.remind_again(tx, exchange, plan.next_at):
        return
    for_reviewers = exchange.role == "partner" or exchange.state is State.AWAITING_RELEASE
    audience: Audience = "reviewers" if for_reviewers else "asker"
    for event, hours in plan.told:
        if notices.put(tx, plan.at, exchange, event, hours, audience):
            key = {"primary": exchange.primary_system, "id_": exchange.id}
            journal.write(tx, plan.at, event, "clock", **key, hours=hours)


def _moments(house: House, exchange: Exchange) -> list[_Moment]:
    """In order of time; those that a request left no time for do not come."""
    begins, ends = exchange.created_at, exchange.due_at or exchange.created_at
    before = [round(span.total_seconds() / 3600) for span in house.remind_before]
    moments = [_Moment(ends - hours * HOUR, REMINDER, hours) for hours in before]
    if house.escalate_after is not None and exchange.state in (State.PENDING, State.AWAITING_RELEASE):
        hours = round(house.escalate_after.total_seconds() / 3600)
        moments.append(_Moment(begins + hours * HOUR, ESCALATION, hours))
    return sorted(moment for moment in moments if begins < moment.at < ends)
