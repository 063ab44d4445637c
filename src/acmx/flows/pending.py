"""Steps 9-10 and 17: the pending ACM data of one person, and what was noted of log-on, notice, query and delivery."""

from msgspec import Struct

from acmx.domain.acm1 import Pending
from acmx.domain.exchange import State
from acmx.domain.moments import to_ms
from acmx.flows.find import sees
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
    to_decide, next_decide = _some(tx, caller, "partner", State.PENDING, after, limit)
    to_fetch, next_fetch = _some(tx, caller, "primary", State.ANSWERED, after, limit)
    following = min((n for n in (next_decide, next_fetch) if n is not None), default=None)
    if following is not None:
        to_decide = [e for e in to_decide if (e.serial or 0) <= following]
        to_fetch = [e for e in to_fetch if (e.serial or 0) <= following]
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


def _some(
    tx: Tx, caller: Caller, role: str, state: State, after: int, limit: int
) -> tuple[list[Exchange], int | None]:
    """What of this state the caller sees, oldest first, and the serial to go on from if there is more."""
    if not caller.may("review" if role == "partner" else "retrieve"):
        return [], None
    found = exchanges.in_state(
        tx, "partner" if role == "partner" else "primary", state, after=after, limit=limit + 1
    )
    seen = [e for e in found[:limit] if _waits_for(caller, e)]
    return seen, found[limit - 1].serial if len(found) > limit else None


def _waits_for(caller: Caller, exchange: Exchange) -> bool:
    if exchange.role == "primary":
        return exchange.asker == caller.mc_service_id
    return sees(caller, exchange) and exchange.addressee in (None, *caller.names)
