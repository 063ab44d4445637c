import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acmx.domain.messages import Addressee, Person, Request
from acmx.domain.policy_facts import PolicyFact
from acmx.flows.policy.facts import facts_of
from acmx.flows.policy.read_policy import read
from acmx.kinds import policy_facts

SUNDAY_NIGHT = datetime(2026, 11, 22, 23, 59, tzinfo=UTC)
POLICE = "mc.metro-police.example"
FACTS = policy_facts.every()

EVERYTHING = read(
    'permit (principal, action == Action::"approve", resource == Kind::"server-identity") when { '
    + " && ".join(
        f"(if context has {fact.name} then context.{fact.name} == context.{fact.name} else true)"
        for fact in FACTS
    )
    + " };"
)


def request(*users: str, **changes: Any) -> Request:
    usual: dict[str, Any] = {
        "version": "1.0",
        "exchange": "01890000-0000-7000-8000-000000000001",
        "n": 1,
        "sender": POLICE,
        "receiver": "mc.county-fire.example",
        "created_at": SUNDAY_NIGHT,
        "kind": "server-identity",
        "asker": Person(f"sip:chief@{POLICE}"),
        "expires_at": SUNDAY_NIGHT,
        "users": users or (f"sip:officer.1@{POLICE}",),
        "purpose": "flood",
    }
    return Request(**(usual | changes))


def test_policy_sees_aggregates_and_never_a_user() -> None:
    facts = facts_of(request(f"sip:a@{POLICE}", f"sip:b@{POLICE}"), SUNDAY_NIGHT)
    assert facts == {
        "users": 2,
        "realms": [POLICE],
        "services": ["mcptt", "mcvideo", "mcdata"],
        "urgency": "normal",
        "hour": 23,
        "weekday": 7,
        "referenced": False,
        "addressed": False,
    }


def test_what_is_optional_is_seen_when_it_is_there() -> None:
    facts = facts_of(
        request(
            reference="agreement 7",
            addressee=Addressee(functional_alias="sip:watch@x.example"),
            urgency="urgent",
            valid_until=SUNDAY_NIGHT + timedelta(days=3, hours=23),
            content={"services": ["mcdata"]},
        ),
        SUNDAY_NIGHT,
    )
    assert (facts["referenced"], facts["addressed"], facts["urgency"]) == (True, True, "urgent")
    assert (facts["valid_days"], facts["services"]) == (3, ["mcdata"])


@pytest.mark.parametrize(
    ("users", "realms"),
    [
        (["sip:a@B.example", "sip:b@b.example", "sip:c@a.example"], ["a.example", "b.example"]),
        (["sip:a@b.example:5061", "sip:a@b.example"], ["b.example"]),
        (["tel:+15550100", "tel:+15550101"], ["tel"]),
        (["tel:42;phone-context=b.example", "tel:+15550100"], ["b.example", "tel"]),
        (["tel:42;phone-context=+1555", "sip:a@[2001:db8::1]"], ["+1555", "[2001:db8::1]"]),
    ],
)
def test_realms_are_the_hosts_and_phone_contexts_each_once(users: list[str], realms: list[str]) -> None:
    assert facts_of(request(*users), SUNDAY_NIGHT)["realms"] == realms


def as_cedar_has_it(value: Any) -> str:
    return {bool: "Bool", int: "Long", str: "String", list: "Set<String>"}[type(value)]


def test_the_table_holds_every_fact_with_the_type_it_has_and_no_other() -> None:
    facts = facts_of(request(valid_until=SUNDAY_NIGHT + timedelta(days=9)), SUNDAY_NIGHT)
    assert {name: as_cedar_has_it(value) for name, value in facts.items()} == {f.name: f.type for f in FACTS}
    always = facts_of(request(), SUNDAY_NIGHT)
    assert set(facts) - set(always) == {fact.name for fact in FACTS if fact.optional}


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.name)
def test_a_rule_can_ask_for_the_example_of_each_fact(fact: PolicyFact) -> None:
    asked = f"context.{fact.name} == {fact.shown}"
    asked = f"context has {fact.name} && {asked}" if fact.optional else asked
    policy = read(
        f'permit (principal, action == Action::"approve", resource == Kind::"server-identity") when {{ {asked} }};'
    )
    assert as_cedar_has_it(fact.example) == fact.type
    examples = {fact.name: fact.example for fact in FACTS}
    assert policy.decide(partner=POLICE, kind="server-identity", facts=examples).decision == "approve"


@given(
    users=st.lists(st.sampled_from([f"sip:a@{POLICE}", "sip:b@x.example", "tel:+15550100"]), min_size=1),
    urgency=st.sampled_from(["normal", "urgent"]),
    reference=st.none() | st.text(),
    days=st.none() | st.integers(0, 999),
    at=st.datetimes(max_value=datetime(9000, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_the_facts_of_a_request_are_always_those_of_the_schema_and_come_back_from_the_journal(
    users: list[str], urgency: str, reference: str | None, days: int | None, at: datetime
) -> None:
    valid_until = None if days is None else at + timedelta(days=days)
    made = request(*users, urgency=urgency, reference=reference, valid_until=valid_until)
    facts = facts_of(made, at)
    again = facts_of(request(*users[::-1], urgency=urgency, reference=reference, valid_until=valid_until), at)
    assert facts == again == json.loads(json.dumps(facts))
    ruling = EVERYTHING.decide(partner=POLICE, kind="server-identity", facts=facts)
    assert (ruling.decision, ruling.failed) == ("approve", ())
