import json

import msgspec
import pytest

from acmx.cli.main import run
from acmx.domain.acm1 import Approvals, GivenReview, Reviewed, Threshold
from support.systems.shown import partner_shown

FIRE = "mc.county-fire.example"
SET = f"PUT /partners/{FIRE}/approvals"
ID = "01a206cb-f5c6-77ad-94c0-f9f1f6155a0d"


@pytest.fixture
def partner(logged_on):
    shown = msgspec.to_builtins(partner_shown(FIRE))
    held = Approvals(kind="server-identity", review=Threshold(2, ("auditor",)), release=Threshold(1))
    logged_on.replies[f"GET /partners/{FIRE}"] = (200, shown)
    logged_on.replies[SET] = (200, shown | {"approvals": [msgspec.to_builtins(held)]})
    return logged_on


def test_what_is_given_is_set_and_the_rest_stays(partner, capsys):
    assert run(["partner", "approvals", FIRE, "--review", "2", "--role", "auditor"]) == 0
    expected = {"kind": "server-identity", "review": {"approvals": 2, "roles": ["auditor"]}}
    assert partner.asked[-1] == (SET, expected)
    said = capsys.readouterr().out
    assert "server-identity: 2 to review (auditor)" in said
    assert "server-identity: 1 to release" in said


def test_without_a_number_it_is_shown(partner, capsys):
    assert run(["partner", "approvals", FIRE]) == 0
    assert "1 to review, none to release" in capsys.readouterr().out
    assert run(["partner", "approvals", FIRE, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == FIRE
    assert run(["partner", "approvals", FIRE, "--role", "auditor"]) == 2


@pytest.mark.step(12)
def test_a_reviewer_is_told_that_others_have_to_review_too(logged_on, exchange, capsys):
    logged_on.replies[f"GET /requests/{ID}"] = (200, exchange)
    logged_on.replies[f"POST /requests/{ID}/review"] = (
        200,
        Reviewed(ID, "pending", "undecided", 0, 0, 1, 2),
    )
    assert run(["review", ID, "--approve", "--reason", "roster", "--yes", "--seen", "1.4"]) == 0
    assert "1 of 2 approvals, nothing is decided yet" in capsys.readouterr().out


def test_who_has_reviewed_is_shown_and_what_no_longer_counts(logged_on, exchange, capsys):
    given = {
        "person": "sip:ann@x.example",
        "at": exchange.created_at,
        "approved": 3,
        "declined": 0,
        "reason": "roster",
    }
    reviews = (
        GivenReview(**given, counts=True),
        GivenReview(**given | {"person": "sip:b@x.example"}, counts=False),
    )
    shown = msgspec.structs.replace(exchange, reviews=reviews, approvals_needed=3)
    logged_on.replies[f"GET /requests/{ID}"] = (200, shown)
    assert run(["show", ID]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "approvals so far 1 of 3" in said
    assert "sip:ann@x.example 3 approved, 0 declined" in said
    assert "for an earlier version: must be given again" in said


def test_what_waits_to_be_released_is_listed(logged_on, exchange, capsys):
    waiting = {"mc_service_id": "sip:a@x.example", "to_decide": [], "to_fetch": [], "to_answer": []}
    summary = msgspec.to_builtins(exchange)
    logged_on.replies["GET /pending"] = (200, waiting | {"to_release": [summary]})
    assert run(["pending"]) == 0
    assert "To release: 1" in capsys.readouterr().out
