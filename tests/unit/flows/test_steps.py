import json
from typing import Any

import pytest

from acmx.domain.acm1 import Step
from acmx.domain.exchange import Role, State
from acmx.domain.moments import from_ms
from acmx.flows.queries.steps import steps_of
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.outbox import Queued
from acmx.storage.journal import Entry

POLICE, FIRE, ID = "mc.metro-police.example", "mc.county-fire.example", "01890000-0000-7000-8000-000000000001"
ASKED = ("submitted", "stored-indication")
ARRIVED = ("request",)


def exchange(role: Role, state: State, **fields: Any) -> Exchange:
    usual: dict[str, Any] = dict.fromkeys(Exchange.__struct_fields__) | {
        "role": role,
        "primary_system": POLICE,
        "id": ID,
        "partner": FIRE if role == "primary" else POLICE,
        "state": state,
        "kind": "server-identity",
    }
    return Exchange(**(usual | fields))


def journal(*events: str | tuple[str, dict[str, Any]]) -> list[Entry]:
    """One row a second, from second 1."""
    pairs = [event if isinstance(event, tuple) else (event, {}) for event in events]
    return [
        Entry(n, 1000 * n, event, "somebody", POLICE, ID, json.dumps(detail))
        for n, (event, detail) in enumerate(pairs, 1)
    ]


def waiting(error: str | None) -> Queued:
    return Queued(None, FIRE, POLICE, ID, 1, "request", 0, 0, 0, last_error=error)


def statuses(steps: list[Step]) -> dict[str, list[int]]:
    assert [step.n for step in steps] == list(range(1, 19))
    found: dict[str, list[int]] = {}
    for step in steps:
        found.setdefault(step.status, []).append(step.n)
    return found


@pytest.mark.step(3)
def test_a_request_that_has_not_arrived_waits_at_step_3_with_its_last_error() -> None:
    steps = steps_of(exchange("primary", State.QUEUED), journal("submitted"), [], [waiting("no route")])
    assert statuses(steps) == {
        "done": [1, 2],
        "waiting": [3],
        "ahead": [4, 5, 13, 14, 15, 16, 17, 18],
        "elsewhere": list(range(6, 13)),
    }
    assert steps[2].note == "no route"


@pytest.mark.step(5)
def test_the_primary_knows_when_the_partner_stored_its_request() -> None:
    indicated = ("stored-indication", {"step_3": 1500, "step_4": 1700})
    steps = steps_of(exchange("primary", State.STORED), journal("submitted", indicated), [], [])
    assert [steps[n - 1].at for n in (1, 3, 4, 5)] == [from_ms(ms) for ms in (1000, 1500, 1700, 2000)]
    assert statuses(steps)["waiting"] == [13]
    assert statuses(steps)["elsewhere"] == list(range(6, 13))


@pytest.mark.step(2)
def test_what_step_2_refused_goes_no_further() -> None:
    refused = ("not-authorised", {"rule": "own-users"})
    steps = steps_of(exchange("primary", State.REFUSED_HERE), journal(refused), [], [])
    assert statuses(steps) == {"done": [1], "failed": [2], "not-taken": list(range(3, 19))}
    assert steps[1].note == "own-users"


@pytest.mark.step(3)
def test_what_the_partner_refused_failed_at_step_3() -> None:
    refused = ("refused-by-partner", {"type": "foreign-user"})
    steps = steps_of(exchange("primary", State.REFUSED_BY_PARTNER), journal("submitted", refused), [], [])
    assert statuses(steps) == {"done": [1, 2], "failed": [3], "not-taken": list(range(4, 19))}
    assert steps[2].note == "foreign-user"


@pytest.mark.step(7, 8, 9, 10, 11)
def test_a_request_to_be_decided_waits_for_the_first_thing_a_person_has_not_done() -> None:
    pending = exchange("partner", State.PENDING)
    assert statuses(steps_of(pending, journal(*ARRIVED), [], []))["waiting"] == [7]
    seen = [(7, "sip:a@x.example", 500), (9, "sip:a@x.example", 2000), (10, "sip:a@x.example", 2000)]
    steps = steps_of(pending, journal(*ARRIVED), seen, [])
    assert statuses(steps) == {
        "elsewhere": [1, 2, 15, 16, 17, 18],
        "done": [3, 4, 5, 6, 7, 9, 10],
        "waiting": [8],
        "ahead": [11, 12, 13, 14],
    }


@pytest.mark.step(12)
def test_a_decision_waits_to_be_delivered() -> None:
    decided = exchange("partner", State.DECIDED, outcome="approved", decided_by="sip:a@x.example")
    steps = steps_of(decided, journal(*ARRIVED, "reviewed"), [(10, "sip:a@x.example", 1500)], [])
    assert statuses(steps)["waiting"] == [13]
    assert {11, 12} <= set(statuses(steps)["done"])
    assert statuses(steps)["not-taken"] == [7, 8, 9]


@pytest.mark.step(6)
def test_what_policy_answered_shows_the_rule_and_no_person() -> None:
    decided = exchange("partner", State.DELIVERED, outcome="approved", rule="small-lists")
    by_rule = ("decided-by-rule", {"rule": "small-lists"})
    steps = steps_of(decided, journal(*ARRIVED, by_rule, "response-delivered"), [], [])
    assert statuses(steps) == {
        "elsewhere": [1, 2, 15, 16, 17, 18],
        "done": [3, 4, 5, 6, 13, 14],
        "not-taken": list(range(7, 13)),
    }
    assert {steps[n - 1].note for n in range(6, 13)} == {"small-lists"}


@pytest.mark.step(14, 15, 16, 17, 18)
def test_an_answer_waits_for_the_asker() -> None:
    answered = exchange("primary", State.ANSWERED, outcome="declined", decided_by="sip:a@x.example")
    response = ("response", {"step_12": 2500})
    steps = steps_of(answered, journal(*ASKED, response), [(15, "sip:b@y.example", 4000)], [])
    assert statuses(steps)["waiting"] == [16]
    assert steps[11] == Step(12, "done", from_ms(2500))
    assert steps[14] == Step(15, "done", from_ms(4000), "sip:b@y.example")


def test_the_first_person_who_did_a_step_is_named() -> None:
    seen = [(7, "sip:a@x.example", 500), (7, "sip:b@x.example", 700)]
    steps = steps_of(exchange("partner", State.PENDING), journal(*ARRIVED), seen, [])
    assert steps[6] == Step(7, "done", from_ms(500), "sip:a@x.example")


def test_rows_of_the_journal_that_are_no_steps_change_nothing() -> None:
    plain = steps_of(exchange("primary", State.STORED), journal(*ASKED), [], [])
    more = steps_of(exchange("primary", State.STORED), journal(*ASKED, "refused", "logged-on"), [], [])
    assert plain == more
