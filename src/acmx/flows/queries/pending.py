"""Steps 9-10 and 17: the pending ACM data of one person, and what was noted of log-on, notice, query and delivery."""

from msgspec import Struct

from acmx.domain.acm1 import Pending
from acmx.domain.moments import to_ms
from acmx.flows.exchange.find import addressed
from acmx.flows.exchange.summary import summary
from acmx.flows.house import House
from acmx.flows.queries.access_log import LISTED
from acmx.flows.queries.given_reviews import waits_for
from acmx.storage import journal
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges, messages, step_times
from acmx.storage.exchange.exchanges import Exchange
from acmx.trust.roles import Caller

LOG_ON, NOTICE, QUERY = (
    {"partner": 7, "primary": 15},
    {"partner": 8, "primary": 16},
    {"partner": 9, "primary": 17},
)
DELIVERY = 10


class FirstShown(Struct, frozen=True):
    """An exchange that this person is shown for the first time, with (step, milliseconds)."""

    exchange: Exchange
    steps: list[tuple[int, int]]


class Plan(Struct, frozen=True):
    """What waits for the person, and which of it is to be noted. `at` in milliseconds."""

    pending: Pending
    person: str
    at: int
    first_shown: list[FirstShown]


def prepare(house: House, tx: Tx, caller: Caller, after: int, limit: int, told_at: int | None) -> Plan:
    """`after` is the `next` of the page before; `told_at` the milliseconds of the last notice to this person."""
    waiting = exchanges.to_decide(tx, after=after, limit=limit + 1) if caller.may("review") else []
    answered = []
    if caller.may("retrieve"):
        answered = exchanges.to_fetch(tx, caller.mc_service_id, after=after, limit=limit + 1)
    asked_back = []
    if caller.may("answer"):
        asked_back = exchanges.to_answer(tx, caller.mc_service_id, after=after, limit=limit + 1)
    unreleased = exchanges.to_release(tx, after=after, limit=limit + 1) if caller.may("review") else []
    lists = (waiting, answered, asked_back, unreleased)
    found_last = [found[limit - 1].serial or 0 for found in lists if len(found) > limit]
    following = min(found_last, default=None)
    to_decide = [e for e in waiting if _within(e, following) and _waits(tx, caller, e)]
    to_fetch = [e for e in answered if _within(e, following)]
    now = to_ms(house.clock())
    first_shown = [
        FirstShown(exchange, _steps(tx, caller, exchange, told_at, now))
        for exchange in (*to_decide, *to_fetch)
        if not step_times.has(
            tx, exchange.primary_system, exchange.id, caller.mc_service_id, QUERY[exchange.role]
        )
    ]
    pending = Pending(
        mc_service_id=caller.mc_service_id,
        to_decide=[summary(exchange) for exchange in to_decide],
        to_fetch=[summary(exchange) for exchange in to_fetch],
        to_answer=[summary(exchange) for exchange in asked_back if _within(exchange, following)],
        to_release=[summary(e) for e in unreleased if _within(e, following) and _waits(tx, caller, e)],
        next=None if following is None else str(following),
    )
    return Plan(pending, caller.mc_service_id, now, first_shown)


def apply(tx: Tx, plan: Plan) -> None:
    for shown in plan.first_shown:
        key = (shown.exchange.primary_system, shown.exchange.id)
        step_times.put(tx, *key, plan.person, shown.steps)
        journal.write(tx, plan.at, LISTED, plan.person, primary=key[0], id_=key[1])


def _within(exchange: Exchange, last: int | None) -> bool:
    return last is None or (exchange.serial or 0) <= last


def _waits(tx: Tx, caller: Caller, exchange: Exchange) -> bool:
    meant = exchange.role == "primary" or addressed(tx, caller, exchange)
    return meant and waits_for(tx, caller, exchange)


def _steps(
    tx: Tx, caller: Caller, exchange: Exchange, told_at: int | None, now: int
) -> list[tuple[int, int]]:
    """A notice counts only if it was given after the message came that it was about."""
    role = exchange.role
    steps = [(LOG_ON[role], caller.logged_on_at), (QUERY[role], now)]
    if told_at is not None and told_at >= messages.last_stored_at(tx, exchange.primary_system, exchange.id):
        steps.append((NOTICE[role], told_at))
    if role == "partner":
        steps.append((DELIVERY, now))
    return steps
