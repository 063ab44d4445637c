from importlib.resources import files
from typing import Any

import pytest

from acmx.domain.errors import FaultyInput
from acmx.trust.policy import Policy, Ruling, parsed

POLICE, FIRE = "mc.metro-police.example", "mc.county-fire.example"
FACTS: dict[str, Any] = {
    "users": 20,
    "realms": [POLICE],
    "services": ["mcptt", "mcdata"],
    "urgency": "normal",
    "hour": 8,
    "weekday": 1,
    "referenced": True,
    "addressed": False,
}
APPROVE = '@id("friends") permit (principal, action == Action::"approve", resource);'
DECLINE = '@id("closed") permit (principal, action == Action::"decline", resource);'
FORBID = '@id("never-at-night") forbid (principal, action == Action::"approve", resource) when { context.hour < 6 };'


def ruling(text: str, partner: str = POLICE, kind: str = "server-identity", **facts: Any) -> Ruling | None:
    return Policy(text).decide(partner=partner, kind=kind, facts=FACTS | facts)


def rule(id_: str, condition: str, decision: str = "approve") -> str:
    return (
        f'@id("{id_}") permit (principal, action == Action::"{decision}", resource) when {{ {condition} }};'
    )


@pytest.mark.law(10)
@pytest.mark.parametrize("users", [1, 10_000])
def test_the_shipped_policy_decides_nothing(users: int) -> None:
    text = files("acmx.trust").joinpath("default_policy.cedar").read_text(encoding="utf-8")
    assert Policy(text).rules == []
    assert ruling(text, users=users, valid_days=1000) is None


def test_the_examples_of_the_shipped_policy_work_once_they_are_uncommented() -> None:
    text = files("acmx.trust").joinpath("default_policy.cedar").read_text(encoding="utf-8")
    lines = [line.removeprefix("// ") for line in text[text.index("// @id") :].splitlines()]
    enabled = "\n".join(line for line in lines if line != "//")
    assert ruling(enabled, partner=FIRE) == Ruling("approve", "small-lists-of-the-fire-service")
    assert ruling(enabled, partner=POLICE) is None
    assert ruling(enabled, partner=FIRE, valid_days=367) == Ruling("decline", "nobody-for-longer-than-a-year")


@pytest.mark.law(10)
def test_what_no_rule_permits_a_person_decides() -> None:
    assert ruling("") is None
    assert ruling(rule("small", "context.users < 20")) is None
    assert ruling(rule("small", "context.users < 20"), users=19) == Ruling("approve", "small")


def test_decline_is_asked_before_approve() -> None:
    assert ruling(APPROVE + DECLINE) == ruling(DECLINE + APPROVE) == Ruling("decline", "closed")


def test_what_is_forbidden_is_not_approved_whatever_permits_it() -> None:
    assert ruling(APPROVE + FORBID) == Ruling("approve", "friends")
    assert ruling(APPROVE + FORBID, hour=5) is None


def test_a_rule_may_name_partner_and_kind() -> None:
    text = (
        f'@id("fire") permit (principal == MCSystem::"{FIRE}", action == Action::"approve", '
        'resource == Kind::"server-identity");'
    )
    assert ruling(text, partner=FIRE) == Ruling("approve", "fire")
    assert ruling(text, partner=POLICE) is None
    assert ruling(text, partner=FIRE, kind="group-information") is None


@pytest.mark.parametrize("partner", ['mc"x.example', "mc.example\\", '" || true', "mc.example\n"])
def test_no_partner_s_name_can_change_the_question(partner: str) -> None:
    text = f'@id("fire") permit (principal == MCSystem::"{FIRE}", action == Action::"approve", resource);'
    assert ruling(text, partner=partner) is None


@pytest.mark.parametrize(
    ("condition", "facts"),
    [
        ('context.realms.contains("mc.metro-police.example")', {"realms": ["tel"]}),
        ('context.services.containsAny(["mcptt"])', {"services": ["mcvideo"]}),
        ('context.urgency == "normal"', {"urgency": "urgent"}),
        ("context.hour >= 8 && context.weekday <= 5", {"weekday": 6}),
        ("context.referenced && !context.addressed", {"addressed": True}),
    ],
)
def test_rules_look_at_the_facts(condition: str, facts: dict[str, Any]) -> None:
    assert ruling(rule("some", condition)) == Ruling("approve", "some")
    assert ruling(rule("some", condition), **facts) is None


def test_a_rule_about_a_fact_that_may_be_absent_asks_for_it_first() -> None:
    text = rule("long", "context has valid_days && context.valid_days > 366", "decline")
    assert ruling(text) is None
    assert ruling(text, valid_days=366) is None
    assert ruling(text, valid_days=367) == Ruling("decline", "long")


@pytest.mark.parametrize(
    "condition", ["context.colour == 1", "context.users == true", "context.valid_days > 1"]
)
def test_a_rule_about_a_fact_that_does_not_exist_is_refused_by_name(condition: str) -> None:
    with pytest.raises(FaultyInput) as refused:
        Policy(APPROVE + rule("strange", condition))
    assert "strange" in {fault.field for fault in refused.value.faults}


@pytest.mark.parametrize(
    "text", ["permit", "permit (principal, action, resource)", "allow all;", "@id(1) x", "\x00"]
)
def test_a_text_that_is_no_cedar_is_refused(text: str) -> None:
    with pytest.raises(FaultyInput) as refused:
        Policy(text)
    assert refused.value.faults[0].field == "policy"


@pytest.mark.parametrize("decision", ["approve", "decline"])
def test_an_error_in_evaluation_never_decides(decision: str) -> None:
    overflow = rule("overflow", "context.users * 9223372036854775807 > 0", decision)
    assert ruling(overflow) is None
    assert ruling(overflow + rule("other", "true", decision)) is None
    assert ruling(overflow, users=1) == Ruling(decision, "overflow")  # type: ignore[arg-type]


@pytest.mark.law(10)
def test_a_ruling_names_every_rule_that_made_it_by_its_id() -> None:
    text = rule("b-small", "context.users < 100") + rule("a-referenced", "context.referenced")
    assert Policy(text).rules == ["b-small", "a-referenced"]
    assert ruling(text) == Ruling("approve", "a-referenced, b-small")


def test_a_rule_without_an_id_has_a_name_all_the_same() -> None:
    decided = ruling('permit (principal, action == Action::"approve", resource);')
    assert decided is not None
    assert decided.rule


def test_a_text_is_parsed_once() -> None:
    text = APPROVE + "// parsed once"
    assert parsed(text) is parsed(text)
    assert parsed(text) is not parsed(APPROVE)
