"""The 18 steps of the procedure as they went for one exchange, from its journal and what was noted (3GPP TR 23.700-38).

A journal row of an event stands for the steps that the transition table gives the event; `step_N` in its detail is
a better time for step N than that of the row.
"""

import json
from collections.abc import Iterable
from typing import Any

from acmx.domain.acm1 import Step
from acmx.domain.exchange import STEPS_OF, Event, State
from acmx.domain.moments import from_ms
from acmx.flows.policy import consult
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.outbox import Queued
from acmx.storage.journal import Entry

FAILED_AT = {
    Event.NOT_AUTHORISED: 2,
    Event.NOT_RELEASED: 2,
    Event.REFUSED_BY_PARTNER: 3,
    Event.RESPONSE_REFUSED: 13,
}
WITHOUT_ANSWER = (State.REFUSED_HERE, State.REFUSED_BY_PARTNER, State.WITHDRAWN)
POLICY = 6
COULD_NOT = ("forbidden", "rule-failed", "unreadable", "nothing-to-disclose", "several-approvals")
BY_A_PERSON = range(7, 13)
ELSEWHERE = {"primary": range(6, 13), "partner": (1, 2, *range(15, 19))}
PRESENT = {
    ("primary", State.AWAITING_RELEASE): (2,),
    ("primary", State.QUEUED): (3,),
    ("primary", State.STORED): (13,),
    ("primary", State.MORE_INFORMATION): (13,),
    ("primary", State.OVERDUE): (13,),
    ("primary", State.ANSWERED): range(15, 19),
    ("partner", State.PENDING): BY_A_PERSON,
    ("partner", State.MORE_INFORMATION): BY_A_PERSON,
    ("partner", State.DECIDED): (13,),
}


def steps_of(
    exchange: Exchange, entries: Iterable[Entry], seen: Iterable[tuple[int, str, int]], waiting: list[Queued]
) -> list[Step]:
    """All 18, in order. `seen` are (step, person, milliseconds)."""
    known = _noted(seen) | _journalled(entries)
    present = next((n for n in PRESENT.get((exchange.role, exchange.state), ()) if n not in known), 0)
    if present:
        error = next((queued.last_error for queued in waiting if queued.last_error), None)
        known[present] = Step(present, "waiting", note=error)
    reached = max(known, default=0)
    return [known.get(n) or _unknown(exchange, n, reached) for n in range(1, 19)]


def _unknown(exchange: Exchange, n: int, reached: int) -> Step:
    if n in BY_A_PERSON and exchange.outcome is not None and exchange.decided_by is None:
        return Step(n, "not-taken", note=exchange.rule or exchange.reason or "decided by policy")
    if exchange.state in WITHOUT_ANSWER:
        return Step(n, "not-taken", note=str(exchange.state))
    if n in ELSEWHERE[exchange.role]:
        return Step(n, "elsewhere")
    return Step(n, "not-taken" if n < reached else "ahead")


def _journalled(entries: Iterable[Entry]) -> dict[int, Step]:
    steps: dict[int, Step] = {}
    for entry in entries:
        if entry.event not in STEPS_OF:
            continue
        event = Event(entry.event)
        detail = json.loads(entry.detail)
        decided = (12,) if "step_12" in detail else ()
        for n in (*STEPS_OF[event], *decided):
            failed = FAILED_AT.get(event) == n
            note = _note(detail) if failed or n == POLICY else None
            at = detail.get(f"step_{n}", entry.at)
            steps[n] = Step(n, "failed" if failed else "done", from_ms(at), note)
    return steps


def _note(detail: dict[str, Any]) -> str | None:
    """The rule or the error; of policy that decided nothing, why it could not."""
    why = detail.get(consult.MEMBER, {}).get("why")
    return detail.get("rule") or detail.get("type") or (why if why in COULD_NOT else None)


def _noted(seen: Iterable[tuple[int, str, int]]) -> dict[int, Step]:
    steps: dict[int, Step] = {}
    for n, person, at in seen:
        steps.setdefault(n, Step(n, "done", from_ms(at), person))
    return steps
