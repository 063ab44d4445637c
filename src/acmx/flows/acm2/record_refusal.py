"""The partner's signed final refusal of a message of ours (law 5)."""

from acmx.domain.errors import Withdrawn
from acmx.domain.exchange import Event
from acmx.domain.messages import PROBLEM, Refusal
from acmx.flows.acm2.replied import Replied, settle
from acmx.flows.exchange.grant import LATER
from acmx.storage import journal
from acmx.storage.engine import Tx
from acmx.storage.exchange import outbox


def apply(tx: Tx, replied: Replied, refusal: Refusal) -> None:
    queued = replied.queued
    problem = refusal.type.removeprefix(PROBLEM)
    detail: dict[str, object] = {"type": problem, "detail": refusal.detail[:200], "message": queued.type}
    event = _event(queued.type, problem)
    ended = {"due_at": None} if event is Event.REFUSED_BY_PARTNER else {}
    moved = settle(tx, replied, event, detail, **ended)
    if moved is not None and event in (Event.REFUSED_BY_PARTNER, Event.RESPONSE_REFUSED):
        outbox.clear(tx, queued.primary_system, queued.id)
    if moved is None:
        journal.write(
            tx,
            replied.at,
            "refused-there",
            queued.partner,
            primary=queued.primary_system,
            id_=queued.id,
            **detail,
        )


def _event(message: str, problem: str) -> Event | None:
    """None where the exchange goes on as it is: the partner may still answer a request that it will not withdraw."""
    if message == "response":
        return Event.RESPONSE_REFUSED
    if message in LATER:
        return Event.UPDATE_REFUSED
    if problem == Withdrawn.type:
        return Event.WITHDRAWAL_CONFIRMED
    return Event.REFUSED_BY_PARTNER if message == "request" else None
