"""Steps 9-10 and 17: the pending ACM data of one person, and what was noted of log-on, notice, query and delivery."""

from msgspec import Struct

from acmx.domain.acm1 import Pending
from acmx.domain.moments import to_ms
from acmx.flows.house import House
from acmx.flows.summary import summary
from acmx.storage import exchanges, noted
from acmx.storage.engine import Tx
from acmx.storage.exchanges import Exchange
from acmx.trust.roles import Caller


class Plan(Struct, frozen=True):
    """What waits for the caller, and which of it the caller has never been shown."""

    pending: Pending
    person: str
    unnoted: list[Exchange]
    steps: dict[str, list[tuple[int, int]]]


def prepare(house: House, tx: Tx, caller: Caller, after: int, limit: int, told_at: int | None) -> Plan:
    """`after` is the `next` of the page before; `told_at` the milliseconds of the last notice to this person."""
    waiting = exchanges.to_decide(tx, after=after, limit=limit + 1) if caller.may("review") else []
    answered = []
    if caller.may("retrieve"):
        answered = exchanges.to_fetch(tx, caller.mc_service_id, after=after, limit=limit + 1)
    following = min((found[limit - 1].serial or 0 for found in (waiting, answered) if len(found) > limit), default=None)
    to_decide = [e for e in waiting if _within(e, following) and e.addressee in (None, *caller.names)]
    to_fetch = [e for e in answered if _within(e, following)]
    person = caller.mc_service_id
    unnoted = [
        e
        for e in (*to_decide, *to_fetch)
        if not noted.has(tx, e.primary_system, e.id, person, 10 if e.role == "partner" else 17)
    ]
    now = to_ms(house.clock())
    seen: list[tuple[int, int | None, int]] = [(7, 15, caller.logged_on_at), (9, 17, now), (10, None, now)]
    if told_at is not None:
        seen.insert(1, (8, 16, told_at))
    return Plan(
        Pending(
            mc_service_id=person,
            to_decide=[summary(e) for e in to_decide],
            to_fetch=[summary(e) for e in to_fetch],
            next=None if following is None else str(following),
        ),
        person,
        unnoted,
        {
            "partner": [(step, at) for step, _, at in seen],
            "primary": [(step, at) for _, step, at in seen if step is not None],
        },
    )


def apply(tx: Tx, plan: Plan) -> Pending:
    for exchange in plan.unnoted:
        noted.put(tx, exchange.primary_system, exchange.id, plan.person, plan.steps[exchange.role])
    return plan.pending


def _within(exchange: Exchange, last: int | None) -> bool:
    return last is None or (exchange.serial or 0) <= last
