"""What is to be said of a step besides that it was done: who, by which rule, what went wrong, and what comes next."""

from datetime import datetime

from msgspec import Struct

from acmx.domain.acm1 import Exchange, Step
from acmx.domain.exchange import State
from acmx.faces.console.texts import ENGLISH as T

SENT_AT = {3: ("request",), 13: ("response",)}
"""The messages whose delivery is the step."""
BY_PEOPLE = (*range(7, 13), *range(15, 19))


class Note(Struct, frozen=True):
    """Words, and the moment that they end with."""

    text: str
    at: datetime | None = None


def note_of(step: Step, exchange: Exchange) -> Note | None:
    if step.status == "waiting":
        return _attempts(step, exchange)
    if step.note is None:
        return None
    if step.status == "not-taken":
        return Note(_reason(step.note))
    if step.status == "failed":
        return Note(_failure(step.note, exchange))
    why = f"why.{step.note}"
    if T.has(why):
        return Note(T(why))
    return Note(T("picture.by", person=step.note) if step.n in BY_PEOPLE else step.note)


def _attempts(step: Step, exchange: Exchange) -> Note | None:
    """What has failed so far, and when it is tried again."""
    for queued in exchange.waiting:
        if queued.type in SENT_AT.get(step.n, ()) and queued.last_error:
            return Note(T("picture.again", error=queued.last_error), queued.next_attempt_at)
    return Note(step.note) if step.note else None


def _reason(note: str) -> str:
    if note in set(State):
        return T("picture.ended", state=note.replace("_", " "))
    return T("picture.by_policy", rule=note)


def _failure(note: str, exchange: Exchange) -> str:
    told = (entry.detail.get("refusal") for entry in exchange.journal)
    here = next((refusal for refusal in told if refusal), exchange.reason)
    detail = exchange.refusal.get("detail") if exchange.refusal else here
    return f"{note}: {detail}" if detail else note
