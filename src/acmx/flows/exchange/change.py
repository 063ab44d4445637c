"""The one place where an exchange changes: the table is asked, and the journal and the notices are written."""

import msgspec

from acmx.domain.errors import NotNow
from acmx.domain.exchange import SETTLED, UNDECIDED, Audience, Event, State, transition
from acmx.domain.telling import ESCALATION, REMINDER
from acmx.flows.carry_out import StaleError
from acmx.storage import deliveries, journal, notices
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges
from acmx.storage.exchange.exchanges import Exchange

CALLS = (
    Event.HELD,
    Event.RELEASE_APPROVED,
    Event.REVIEW_STORED,
    Event.REQUEST,
    Event.ANSWER,
    Event.EARLIER_ANSWER,
    REMINDER,
    ESCALATION,
)
"""What calls a person to decide; told no more once that was done, or the primary was asked something."""


def begin(tx: Tx, exchange: Exchange, event: Event, actor: str, at: int, **detail: object) -> Exchange:
    """Store a new exchange in the state that `event` gives it. Raises StaleError where its key is taken."""
    row = transition(exchange.role, None, event)
    if row is None:
        raise NotNow(f"{event} does not begin an exchange")
    begun = _ended(msgspec.structs.replace(exchange, state=row.target, version=1), at)
    if not exchanges.insert(tx, begun):
        raise StaleError
    _tell(tx, begun, event, actor, at, row.tells, detail)
    return begun


def move(
    tx: Tx,
    exchange: Exchange,
    event: Event,
    actor: str,
    at: int,
    *,
    detail: dict[str, object] | None = None,
    **fields: object,
) -> Exchange:
    """Carry `event` out on a stored exchange, with these new field values.

    Raises NotNow where the table does not admit it, StaleError where the exchange changed since it was read.
    """
    row = transition(exchange.role, exchange.state, event)
    if row is None:
        raise NotNow(f"{event} is not possible while the exchange is {exchange.state}", state=exchange.state)
    changed = msgspec.structs.replace(exchange, state=row.target, version=exchange.version + 1, **fields)
    moved = _ended(changed, at)
    if not exchanges.replace(tx, moved):
        raise StaleError
    if _called(exchange) and moved.state not in (State.PENDING, State.AWAITING_RELEASE):
        deliveries.drop(tx, exchange.primary_system, exchange.id, CALLS, f"{event} before it was sent")
    _tell(tx, moved, event, actor, at, row.tells, detail or {})
    return moved


def note(tx: Tx, exchange: Exchange, event: Event, actor: str, at: int, **detail: object) -> None:
    """Write down and tell what changes nothing yet. The version stays: nobody's review is stale because of another's.

    Raises NotNow where the table does not admit it.
    """
    row = transition(exchange.role, exchange.state, event)
    if row is None:
        raise NotNow(f"{event} is not possible while the exchange is {exchange.state}", state=exchange.state)
    occurrence = notices.next_occurrence(tx, exchange, event)
    _tell(tx, exchange, event, actor, at, row.tells, detail, occurrence)


def _called(exchange: Exchange) -> bool:
    """Whether somebody was called to decide."""
    if exchange.role == "primary":
        return exchange.state is State.AWAITING_RELEASE
    return exchange.state in UNDECIDED


def _ended(exchange: Exchange, at: int) -> Exchange:
    ended = exchange.state in SETTLED and exchange.grant_state != "live"
    return msgspec.structs.replace(exchange, ended_at=at if ended else None)


def _tell(
    tx: Tx,
    exchange: Exchange,
    event: Event,
    actor: str,
    at: int,
    tells: tuple[Audience, ...],
    detail: dict[str, object],
    occurrence: int | None = None,
) -> None:
    journal.write(
        tx,
        at,
        event,
        actor,
        primary=exchange.primary_system,
        id_=exchange.id,
        state=str(exchange.state),
        **detail,
    )
    for audience in tells:
        notices.put(tx, at, exchange, event, occurrence or exchange.version, audience)
