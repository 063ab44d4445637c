from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from acmx.domain.messages import Addressee, Person, Request
from acmx.flows.facts import facts_of
from acmx.trust.policy import Policy

SUNDAY_NIGHT = datetime(2026, 11, 22, 23, 59, tzinfo=UTC)
POLICE = "mc.metro-police.example"


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


def test_every_fact_is_one_that_policy_knows() -> None:
    facts = facts_of(request(valid_until=SUNDAY_NIGHT + timedelta(days=9)), SUNDAY_NIGHT)
    same = " && ".join(f"context.{name} == context.{name}" for name in facts if name != "valid_days")
    text = (
        '@id("all") permit (principal, action == Action::"approve", resource) '
        f"when {{ {same} && context has valid_days && context.valid_days == 9 }};"
    )
    ruling = Policy(text).decide(partner=POLICE, kind="server-identity", facts=facts)
    assert ruling is not None
    assert ruling.rule == "all"
