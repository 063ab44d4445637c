from importlib.resources import files
from typing import Any

import pytest

from acmx.domain.errors import FaultyInput
from acmx.flows.policy.read_policy import read, stored
from acmx.trust.policy import Ruling

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
APPROVE = (
    '@id("friends") permit (principal, action == Action::"approve", resource == Kind::"server-identity");'
)
DECLINE = '@id("closed") permit (principal, action == Action::"decline", resource);'
PERSON = Ruling("person")
FORBID = '@id("never-at-night") forbid (principal, action == Action::"approve", resource) when { context.hour < 6 };'


def ruling(text: str, partner: str = POLICE, kind: str = "server-identity", **facts: Any) -> Ruling:
    return read(text).decide(partner=partner, kind=kind, facts=FACTS | facts)


def rule(id_: str, condition: str, decision: str = "approve") -> str:
    return (
        f'@id("{id_}") permit (principal, action == Action::"{decision}", resource == Kind::"server-identity") '
        f"when {{ {condition} }};"
    )


@pytest.mark.law(10)
@pytest.mark.parametrize("users", [1, 10_000])
def test_the_shipped_policy_decides_nothing(users: int) -> None:
    text = files("acmx.trust").joinpath("default_policy.cedar").read_text(encoding="utf-8")
    assert read(text).rules == []
    assert ruling(text, users=users, valid_days=1000) == PERSON


def test_the_examples_of_the_shipped_policy_work_once_they_are_uncommented() -> None:
    text = files("acmx.trust").joinpath("default_policy.cedar").read_text(encoding="utf-8")
    lines = [line.removeprefix("// ") for line in text[text.index("// @id") :].splitlines()]
    enabled = "\n".join(line for line in lines if line != "//")
    assert ruling(enabled, partner=FIRE) == Ruling("approve", ("small-lists-of-the-fire-service",))
    assert ruling(enabled, partner=POLICE) == PERSON
    assert ruling(enabled, partner=FIRE, valid_days=367) == Ruling(
        "decline", ("nobody-for-longer-than-a-year",)
    )


@pytest.mark.law(10)
def test_what_no_rule_permits_a_person_decides() -> None:
    assert ruling("") == PERSON
    assert ruling(rule("small", "context.users < 20")) == PERSON
    assert ruling(rule("small", "context.users < 20"), users=19) == Ruling("approve", ("small",))


def test_decline_is_asked_before_approve() -> None:
    assert ruling(APPROVE + DECLINE) == ruling(DECLINE + APPROVE) == Ruling("decline", ("closed",))


def test_what_is_forbidden_is_not_approved_whatever_permits_it() -> None:
    assert ruling(APPROVE + FORBID) == Ruling("approve", ("friends",))
    assert ruling(APPROVE + FORBID, hour=5) == Ruling("person", forbidden=("never-at-night",))


def test_a_rule_may_name_partner_and_kind() -> None:
    text = (
        f'@id("fire") permit (principal == MCSystem::"{FIRE}", action == Action::"approve", '
        'resource == Kind::"server-identity");'
    )
    assert ruling(text, partner=FIRE) == Ruling("approve", ("fire",))
    assert ruling(text, partner=POLICE) == PERSON
    assert ruling(text, partner=FIRE, kind="group-information") == PERSON


@pytest.mark.parametrize("partner", ['mc"x.example', "mc.example\\", '" || true', "mc.example\n"])
def test_no_partner_s_name_can_change_the_question(partner: str) -> None:
    text = (
        f'@id("fire") permit (principal == MCSystem::"{FIRE}", action == Action::"approve", '
        'resource == Kind::"server-identity");'
    )
    assert ruling(text, partner=partner) == PERSON


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
    assert ruling(rule("some", condition)) == Ruling("approve", ("some",))
    assert ruling(rule("some", condition), **facts) == PERSON


def test_a_rule_about_a_fact_that_may_be_absent_asks_for_it_first() -> None:
    text = rule("long", "context has valid_days && context.valid_days > 366", "decline")
    assert ruling(text) == PERSON
    assert ruling(text, valid_days=366) == PERSON
    assert ruling(text, valid_days=367) == Ruling("decline", ("long",))


@pytest.mark.parametrize(
    "condition", ["context.colour == 1", "context.users == true", "context.valid_days > 1"]
)
def test_a_rule_about_a_fact_that_does_not_exist_is_refused_by_name(condition: str) -> None:
    with pytest.raises(FaultyInput) as refused:
        read(APPROVE + rule("strange", condition))
    assert "strange" in {fault.field for fault in refused.value.faults}


@pytest.mark.parametrize(
    "text", ["permit", "permit (principal, action, resource)", "allow all;", "@id(1) x", "\x00"]
)
def test_a_text_that_is_no_cedar_is_refused(text: str) -> None:
    with pytest.raises(FaultyInput) as refused:
        read(text)
    assert refused.value.faults[0].field == "policy"


@pytest.mark.law(10)
@pytest.mark.parametrize("decision", ["approve", "decline"])
def test_where_a_rule_fails_nothing_is_decided_and_the_rule_is_named(decision: Any) -> None:
    overflow = rule("overflow", "context.users * 9223372036854775807 > 0", decision)
    for text in (overflow, overflow + rule("other", "true", decision), overflow + APPROVE):
        failed = ruling(text)
        assert (failed.decision, failed.rules) == ("person", ())
        assert [failure.rule for failure in failed.failed] == ["overflow"]
        assert failed.failed[0].error.startswith("integer overflow while attempting to multiply")
    assert ruling(overflow, users=1) == Ruling(decision, ("overflow",))


@pytest.mark.law(10)
def test_a_rule_that_forbids_and_fails_does_not_let_through_what_it_would_have_forbidden() -> None:
    failing = (
        '@id("never") forbid (principal, action, resource) when { context.users * 9223372036854775807 > 0 };'
    )
    assert ruling(APPROVE + failing).decision == "person"


@pytest.mark.law(10)
def test_facts_that_are_missing_or_of_another_type_approve_nothing() -> None:
    text = rule("small", "context.users < 30")
    for facts in ({}, {"users": "20"}, {"users": 1.5}, {"users": None}):
        assert read(text).decide(partner=POLICE, kind="server-identity", facts=facts).decision == "person"


@pytest.mark.law(10)
def test_a_ruling_names_every_rule_that_made_it_by_its_id() -> None:
    text = rule("b-small", "context.users < 100") + rule("a-referenced", "context.referenced")
    assert read(text).rules == ["b-small", "a-referenced"]
    assert ruling(text) == Ruling("approve", ("a-referenced", "b-small"))


def test_a_rule_without_an_id_has_a_name_all_the_same() -> None:
    assert ruling(
        'permit (principal, action == Action::"approve", resource == Kind::"server-identity");'
    ).rules == ("policy0",)


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(FaultyInput, match=r"friends: names more than one rule"):
        read(APPROVE + APPROVE)


@pytest.mark.law(12)
@pytest.mark.parametrize(
    ("text", "line"),
    [
        (APPROVE + "\n\n// it's a; comment\n" + rule("bad", "context.hour < 6 &&\n context.colour == 1"), 5),
        (APPROVE + "\n" + rule("bad", 'context.urgency == "a;b" && context.users < "x"'), 2),
        (f"{APPROVE}\n\npermit (principal,\n action, resource) when {{ a b }};\n{FORBID}", 3),
        (f"{APPROVE}\n\npermit (principal, action, resource)", 3),
        (f"{APPROVE}\npermit (principal == ?principal, action, resource);", 2),
        (APPROVE + '\n\n"', 3),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int) -> None:
    with pytest.raises(FaultyInput) as refused:
        read(text)
    assert refused.value.faults[0].rule.startswith(f"line {line}: ")


def test_a_text_is_parsed_once() -> None:
    text = APPROVE + "// parsed once"
    assert stored(text) is stored(text)
    assert stored(text) is not stored(APPROVE)
