"""`acmx policy explain`, `try`, `facts`, `roles` as people and scripts see them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acmx.cli.main import run
from acmx.domain.acm1 import (
    CheckShown,
    Consultation,
    Explanation,
    FactShown,
    JournalEntry,
    Policy,
    Roles,
    RuleFailure,
    TrialPage,
    Tried,
)
from acmx.kinds import policy_facts
from acmx.trust.roles import MEANINGS, ROLES, Caller

POLICE = "mc.metro-police.example"
AT = datetime(2026, 10, 3, 14, 2, 11, tzinfo=UTC)
ID = "01a206cb-f5c6-77ad-94c0-f9f1f6155a0d"
RULE = '@id("small") permit (principal, action == Action::"approve", resource == Kind::"server-identity");'


@pytest.fixture
def ours(tmp_path: Path) -> str:
    file = tmp_path / "ours.cedar"
    file.write_text(RULE)
    return str(file)


def said(capsys: Any) -> str:
    return " ".join(capsys.readouterr().out.split())


def tried(**changes: Any) -> Tried:
    usual = {"id": ID, "primary": POLICE, "at": AT, "state": "delivered", "was": "person", "would": "person"}
    return Tried(**(usual | changes))


def explanation(**changes: Any) -> Explanation:
    usual = {"id": ID, "primary": POLICE, "partner": POLICE, "role": "partner", "state": "pending"}
    return Explanation(**(usual | changes))


def consultation(**changes: Any) -> Consultation:
    usual = {"version": 4, "digest": "0" * 64, "decision": "person", "why": "no-rule", "facts": {"users": 3}}
    return Consultation(**(usual | changes))


def test_a_decision_by_policy_is_explained(logged_on, capsys):
    logged_on.replies[f"GET /requests/{ID}/explanation"] = (
        200,
        explanation(
            outcome="approved",
            by="policy",
            rule="small",
            decided_at=AT,
            consultation=consultation(decision="approve", why="rule", rules=("small",)),
            asked_at=AT,
            facts=[FactShown("valid_days", 3, "to the end", "`valid_until` of the request", "whole days")],
            policy=Policy(4, RULE, ["small"]),
        ),
    )
    assert run(["policy", "explain", ID]) == 0
    text = said(capsys)
    for words in (
        "by policy, rule small, 2026-10-03 14:02:11Z",
        "version 4, asked 2026-10-03 14:02:11Z",
        "approve: a rule permits it",
        "valid_days 3 to the end (whole days) valid_until of the request",
        RULE,
    ):
        assert words in text


@pytest.mark.law(10)
@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (consultation(), "no rule permits an answer, so a person decides"),
        (consultation(why="forbidden", forbidden=("night",)), "forbidden by night"),
        (
            consultation(why="rule-failed", failed=(RuleFailure("big", "integer overflow"),)),
            "failed big: integer overflow",
        ),
        (None, "Policy was not asked, or what it was asked on was not kept."),
    ],
)
def test_why_a_person_decides_is_said(logged_on, asked, words, capsys):
    logged_on.replies[f"GET /requests/{ID}/explanation"] = (200, explanation(consultation=asked, asked_at=AT))
    assert run(["policy", "explain", ID]) == 0
    assert words in said(capsys)


def test_the_checks_of_step_2_are_shown(logged_on, capsys):
    checks = [
        CheckShown("role:submit", passed=True, meaning="may ask"),
        CheckShown("own-users", passed=False, meaning="own realms", detail="2 of the users do not belong"),
    ]
    here = explanation(role="primary", state="refused_here", by="check", rule="own-users", checks=checks)
    logged_on.replies[f"GET /requests/{ID}/explanation"] = (200, here)
    assert run(["policy", "explain", ID]) == 0
    text = said(capsys)
    assert "here, before anything was sent: own-users" in text
    assert "role:submit passed may ask own-users refused own realms 2 of the users do not belong" in text


def test_a_trial_shows_each_request_and_counts(logged_on, ours, capsys):
    page = TrialPage(
        [
            tried(outcome="declined", by="person", would="approve", rules=("small",)),
            tried(outcome="approved", by="policy", was="approve", would="person", forbidden=("night",)),
            tried(state="more_information", would="person", failed=(RuleFailure("big", "integer overflow"),)),
            tried(outcome="expired", by="clock", was=None, would=None),
        ]
    )
    logged_on.replies["POST /policy/trial?limit=4"] = (200, page)
    assert run(["policy", "try", ours, "--last", "4"]) == 0
    assert logged_on.asked == [("POST /policy/trial?limit=4", {"text": RULE})]
    text = said(capsys)
    for words in (
        "1 declined by a person -> approved",
        "1 approved by policy -> left to a person",
        "1 more information -> left to a person",
        "1 expired by the clock -> not judged: its facts were not kept",
        "4 requests",
        "small",
        "forbidden: night",
        "failed: big: integer overflow",
    ):
        assert words in text


@pytest.mark.law(13)
def test_a_trial_goes_on_until_it_has_as_many_as_asked_for_or_all(logged_on, ours, capsys):
    logged_on.replies["POST /policy/trial?limit=1000"] = (200, TrialPage([tried(), tried()], "9"))
    logged_on.replies["POST /policy/trial?after=9&limit=1000"] = (200, TrialPage([], "5"))
    logged_on.replies["POST /policy/trial?after=5&limit=1000"] = (200, TrialPage([tried()]))
    assert run(["policy", "try", ours, "--last", "1500", "--json"]) == 0
    printed = capsys.readouterr()
    assert len(msgspec.json.decode(printed.out, type=TrialPage).items) == 3
    assert "There are no more than 3 that you may see." in printed.err
    logged_on.replies["POST /policy/trial?limit=3"] = (200, TrialPage([tried(), tried()], "9"))
    logged_on.replies["POST /policy/trial?after=9&limit=3"] = (200, TrialPage([tried(), tried()], "7"))
    assert run(["policy", "try", ours, "--last", "3", "--json"]) == 0
    printed = capsys.readouterr()
    assert len(msgspec.json.decode(printed.out, type=TrialPage).items) == 3
    assert printed.err == ""


def test_one_exchange_is_tried(logged_on, ours, capsys):
    logged_on.replies["POST /policy/trial"] = (200, TrialPage([tried()]))
    assert run(["policy", "try", ours, "--against", ID]) == 0
    assert logged_on.asked == [("POST /policy/trial", {"text": RULE, "against": ID})]
    assert "1 request:" in said(capsys)


@pytest.mark.parametrize("line", [[], ["--against", ID, "--last", "3"], ["--last", "0"], ["--last", "-1"]])
def test_a_trial_is_of_one_exchange_or_of_the_last_ones(logged_on, ours, line, capsys):
    assert run(["policy", "try", ours, *line]) == 2
    assert logged_on.asked == []


def test_the_facts_are_listed_without_a_server(home, capsys):
    assert run(["policy", "facts"]) == 0
    text = capsys.readouterr().out
    assert all(fact.name in text for fact in policy_facts.every())
    assert "`" not in text
    assert run(["policy", "facts", "--json"]) == 0
    assert [fact["name"] for fact in msgspec.json.decode(capsys.readouterr().out)] == [
        f.name for f in policy_facts.every()
    ]


@pytest.mark.law(10)
def test_the_roles_are_those_that_are_enforced_and_each_permission_has_words(home, capsys):
    assert run(["policy", "roles", "--json"]) == 0
    roles = msgspec.json.decode(capsys.readouterr().out, type=Roles)
    for role in roles.items:
        caller = Caller("a", "sip:a@b.example", (), (role.name,), 0)
        assert {may.name for may in role.may} == {name for name in MEANINGS if caller.may(name)}
    assert {role.name for role in roles.items} == set(ROLES)
    assert set(MEANINGS) == set().union(*ROLES.values())
    assert run(["policy", "roles"]) == 0
    text = said(capsys)
    assert all(role in text for role in ROLES)
    assert MEANINGS["accounts"] in text


def test_a_policy_that_cannot_be_read_any_more_is_shown(logged_on, capsys):
    broken = Policy(4, RULE, [], unreadable="small: line 1: attribute `colours` not found")
    logged_on.replies["GET /policy"] = (200, broken)
    assert run(["policy", "show"]) == 0
    assert "unreadable small: line 1: attribute `colours` not found" in said(capsys)


def test_the_journal_says_what_policy_said(logged_on, exchange, capsys):
    detail = {"policy": msgspec.to_builtins(consultation()), "passed": ["role:submit", "own-users"]}
    journal = [JournalEntry(1, AT, "request", POLICE, ID, POLICE, detail)]
    logged_on.replies[f"GET /requests/{ID}"] = (200, msgspec.structs.replace(exchange, journal=journal))
    assert run(["show", ID]) == 0
    text = said(capsys)
    assert "policy: person, no-rule, version 4 (acmx policy explain)" in text
    assert "passed: role:submit, own-users" in text
