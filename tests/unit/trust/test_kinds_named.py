"""A rule approves only the kind that it names: for every kind of the register, and for one that is still to come."""

from collections.abc import Iterator
from typing import Any

import pytest

from acmx.domain.errors import FaultyInput
from acmx.flows.policy.read_policy import read, stored
from acmx.kinds import FORMER, KINDS, policy_facts
from acmx.trust.policy import Policy
from support.systems.made_up import MADE_UP, registered

POLICE = "mc.metro-police.example"
EVERY = [*KINDS, MADE_UP.NAME]
OPEN = [
    'permit (principal, action == Action::"approve", resource);',
    "permit (principal, action, resource) when { context.users < 9 };",
    'permit (principal, action in [Action::"decline", Action::"approve"], resource);',
    'permit (principal, action in Action::"approve", resource);',
    'permit (principal, action == Action::"approve", resource is Kind);',
    'permit (principal, action == Action::"approve", resource in Kind::"server-identity");',
    'permit (principal, action == Action::"approve", resource is Kind in Kind::"server-identity");',
    'permit (principal, action == Action::"approve", resource) when { resource == Kind::"server-identity" };',
    'permit (principal, action == Action::"approve", resource) unless { resource != Kind::"server-identity" };',
    'permit (principal, action, resource) when { action == Action::"decline" };',
]
MAY_BE_OPEN = [
    'permit (principal, action == Action::"decline", resource);',
    'permit (principal, action == Action::"withhold", resource);',
    'permit (principal, action in [Action::"decline", Action::"withhold"], resource);',
    "forbid (principal, action, resource);",
    'forbid (principal, action == Action::"approve", resource);',
]


@pytest.fixture(autouse=True)
def _made_up() -> Iterator[None]:
    with registered():
        yield


def facts(kind: str) -> dict[str, Any]:
    return {fact.name: fact.example for fact in policy_facts.every() if kind in (fact.kinds or (kind,))}


def approving(kind: str, when: str = "", id_: str = "the-rule") -> str:
    return f'@id("{id_}") permit (principal, action == Action::"approve", resource == Kind::"{kind}") {when};'


def decided(policy: Policy, kind: str) -> str:
    return policy.decide(partner=POLICE, kind=kind, facts=facts(kind)).decision


@pytest.mark.law(10)
@pytest.mark.parametrize("kind", EVERY)
def test_a_rule_approves_the_kind_that_it_names_and_no_other(kind: str) -> None:
    policy = read(approving(kind))
    assert {other: decided(policy, other) for other in KINDS} == {
        other: "approve" if other == kind else "person" for other in KINDS
    }


@pytest.mark.law(12)
@pytest.mark.parametrize("text", OPEN)
def test_a_rule_that_may_approve_and_names_no_kind_is_refused_with_the_line_to_write(text: str) -> None:
    with pytest.raises(FaultyInput) as refused:
        read(
            f'{approving("server-identity", id_="fine")}\n// a comment; with a semicolon\n@id("open")\n{text}'
        )
    [fault] = [fault for fault in refused.value.faults if "names no kind" in fault.rule]
    assert (fault.field, fault.rule.partition(": ")[0]) == ("open", "line 4")
    assert all(f'resource == Kind::"{kind}"' in fault.rule for kind in EVERY)


@pytest.mark.parametrize("text", MAY_BE_OPEN)
def test_a_rule_that_approves_nothing_may_speak_of_every_kind(text: str) -> None:
    assert read(text).unnamed == []


@pytest.mark.parametrize("action", ["approve", "decline", "withhold"])
@pytest.mark.parametrize(
    "head",
    ['resource == Kind::"gossip")', 'resource == Kind::"made-up") when { resource == Kind::"gossip" }'],
)
def test_a_kind_that_nobody_knows_is_refused(action: str, head: str) -> None:
    with pytest.raises(FaultyInput, match="gossip"):
        read(f'permit (principal, action == Action::"{action}", {head};')


@pytest.mark.law(12)
@pytest.mark.parametrize("kind", EVERY)
def test_a_rule_is_checked_against_the_facts_of_the_kind_that_it_names(kind: str) -> None:
    for fact in policy_facts.every():
        text = approving(kind, f"when {{ context.{fact.name} == {fact.shown} }}")
        if fact.optional or kind not in (fact.kinds or (kind,)):
            with pytest.raises(FaultyInput, match=fact.name):
                read(text)
        else:
            assert decided(read(text), kind) == "approve"


@pytest.mark.law(12)
def test_only_a_rule_that_speaks_of_every_kind_has_to_ask_for_a_fact_of_some() -> None:
    for fact in policy_facts.every():
        asked = f"context.{fact.name} == {fact.shown}"
        head = '@id("the-rule") permit (principal, action == Action::"decline", resource)'
        guarded = read(f"{head} when {{ context has {fact.name} && {asked} }};")
        having = [kind for kind in EVERY if kind in (fact.kinds or (kind,))]
        assert [kind for kind in EVERY if decided(guarded, kind) == "decline"] == having
        if fact.kinds:
            with pytest.raises(FaultyInput, match=fact.name):
                read(f"{head} when {{ {asked} }};")


@pytest.mark.law(10)
@pytest.mark.parametrize("text", OPEN[:5])
@pytest.mark.parametrize("kind", EVERY)
def test_a_policy_of_before_counts_as_naming_the_kinds_that_there_were(kind: str, text: str) -> None:
    policy = stored(f'@id("before") {text}')
    assert policy.unnamed == ["before"]
    asked = policy.decide(partner=POLICE, kind=kind, facts=facts(kind) | {"users": 3})
    if "decline" in text or "action," in text:
        assert asked.decision == "decline"
    else:
        assert (asked.decision, asked.rules) == (
            ("approve", ("before",)) if kind in FORMER else ("person", ())
        )


@pytest.mark.law(10)
def test_a_policy_of_before_is_still_read_and_what_fails_on_a_new_kind_a_person_decides() -> None:
    declines = (
        'permit (principal, action == Action::"decline", resource) when { context.services == ["mcptt"] };'
    )
    unknown = 'permit (principal, action == Action::"decline", resource == Kind::"group");'
    approves = 'permit (principal, action == Action::"approve", resource) when { context.services.contains("mcptt") };'
    policy = stored(declines + unknown + approves)
    assert [decided(policy, kind) for kind in EVERY] == ["approve", "approve", "person"]
    with pytest.raises(FaultyInput):
        read(declines)


def test_facts_of_one_name_have_one_type_and_no_kind_gives_a_common_fact_another_meaning() -> None:
    common = {fact.name for fact in policy_facts.every() if not fact.kinds}
    types = [(fact.name, fact.type) for kind in KINDS.values() for fact in kind.FACTS]
    assert len({name for name, _ in types}) == len(set(types))
    assert common.isdisjoint(name for name, _ in types)
