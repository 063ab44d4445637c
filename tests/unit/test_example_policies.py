"""The example policies decide as their comments say."""

from pathlib import Path
from typing import Any

import pytest

from acmx.flows.policy.read_policy import read
from acmx.trust.policy import Policy

POLICIES = Path(__file__).parents[2] / "examples" / "policies"
POLICE, COAST = "mc.metro-police.example", "mc.coast-guard.example"
DISPATCH = f"dispatch.{POLICE}"
USUAL: dict[str, Any] = {
    "users": 5,
    "realms": [POLICE],
    "services": ["mcptt", "mcvideo", "mcdata"],
    "urgency": "normal",
    "hour": 10,
    "weekday": 2,
    "referenced": True,
    "addressed": False,
    "valid_days": 3,
}
WITHOUT_END: dict[str, Any] = {"valid_days": None}
PERSON = "a person"
CASES: list[tuple[str, dict[str, Any], str]] = [
    ("small-teams", {}, "small-teams-of-the-police"),
    ("small-teams", {"users": 20, "valid_days": 30}, "small-teams-of-the-police"),
    ("small-teams", {"users": 21}, PERSON),
    ("small-teams", {"referenced": False}, PERSON),
    ("small-teams", {"valid_days": 31}, PERSON),
    ("small-teams", WITHOUT_END, PERSON),
    ("small-teams", {"partner": COAST}, PERSON),
    ("night-hours", {"urgency": "urgent", "hour": 22}, "urgent-at-night"),
    ("night-hours", {"urgency": "urgent", "hour": 5, "partner": COAST}, "urgent-at-night"),
    ("night-hours", {"urgency": "urgent", "hour": 6}, PERSON),
    ("night-hours", {"hour": 23}, PERSON),
    ("night-hours", {"urgency": "urgent", "hour": 23, "users": 11}, PERSON),
    ("night-hours", {"urgency": "urgent", "hour": 23, "weekday": 6}, "people-decide-at-weekends"),
    ("by-realm", {"realms": [DISPATCH], "services": ["mcdata"]}, "data-for-dispatchers"),
    ("by-realm", {"realms": [DISPATCH, POLICE], "services": ["mcdata"]}, PERSON),
    ("by-realm", {"realms": [DISPATCH], "services": ["mcdata", "mcptt"]}, PERSON),
    ("by-realm", {"realms": [DISPATCH], "services": ["mcdata"], "partner": COAST}, PERSON),
    ("by-realm", {"realms": [DISPATCH, "tel"], "services": ["mcdata"]}, "no-global-telephone-numbers"),
    ("urgency", {"urgency": "urgent"}, "urgent-incidents"),
    ("urgency", {}, PERSON),
    ("urgency", {"urgency": "urgent", "referenced": False}, PERSON),
    ("urgency", {"urgency": "urgent", "addressed": True}, PERSON),
    ("urgency", {"urgency": "urgent", "users": 51}, PERSON),
    ("urgency", {"urgency": "urgent", "valid_days": 4}, PERSON),
    ("urgency", {"urgency": "urgent"} | WITHOUT_END, PERSON),
    ("urgency", {"urgency": "urgent", "users": 501}, "too-many-at-once"),
    ("urgency", {"valid_days": 367}, "nobody-for-longer-than-a-year"),
]


def policy(name: str) -> Policy:
    return read((POLICIES / f"{name}.cedar").read_text(encoding="utf-8"))


@pytest.mark.step(6)
@pytest.mark.parametrize(("name", "facts", "rule"), CASES)
def test_an_example_decides_as_it_says(name: str, facts: dict[str, Any], rule: str) -> None:
    asked = {fact: value for fact, value in (USUAL | facts).items() if value is not None}
    partner = asked.pop("partner", POLICE)
    ruling = policy(name).decide(partner=partner, kind="server-identity", facts=asked)
    assert ruling.failed == ()
    assert ", ".join((*ruling.rules, *ruling.forbidden)) == ("" if rule == PERSON else rule)


def test_every_rule_of_every_example_is_seen_to_decide() -> None:
    decided = {(name, rule) for name, _, rule in CASES if rule != PERSON}
    names = [path.stem for path in POLICIES.iterdir()]
    assert decided == {(name, rule) for name in names for rule in policy(name).rules}
