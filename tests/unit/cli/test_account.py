import json
from datetime import UTC, datetime

import msgspec
import pytest

from acmx.cli.main import run
from acmx.cli.session.profiles import load
from acmx.domain.acm1 import (
    Account,
    AccountApprovalsSet,
    Accounts,
    VouchedPeople,
    VouchedPerson,
    WaitingChange,
    WaitingChanges,
)

AT = datetime(2026, 10, 3, 14, 2, 11, tzinfo=UTC)
OKOYE = Account(
    "okoye", "sip:okoye@mc.county-fire.example", [], ["reviewer"], automatic=False, disabled=False
)


CHANGE = WaitingChange(
    id="01a2076b-4400-7000-8000-000000000502",
    account="okoye",
    what="change",
    asked_at=AT,
    asked_by="sip:eze@mc.county-fire.example",
    asked_by_account="eze",
    mc_service_id=OKOYE.mc_service_id,
    roles_before=["reviewer"],
    roles=["reviewer", "auditor"],
)


@pytest.mark.parametrize(
    ("verb", "place"),
    [
        ("enable", "enablement"),
        ("disable", "disablement"),
        ("choose", "choice"),
        ("unlock", "unlocking"),
    ],
)
def test_an_operator_opens_and_closes_an_account(logged_on, capsys, verb, place):
    logged_on.replies[f"POST /accounts/okoye/{place}"] = (200, OKOYE)
    assert run(["account", verb, "okoye", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "okoye"


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        (["--role", "requester", "auditor"], {"roles": ["requester", "auditor"]}),
        (["--mail", "okoye@fire.example"], {"mail": "okoye@fire.example"}),
        (["--mail", ""], {"mail": None}),
        (["--role", "auditor", "--mail", ""], {"roles": ["auditor"], "mail": None}),
    ],
)
def test_what_is_not_named_stays_as_it_is(logged_on, options, sent):
    logged_on.replies["PATCH /accounts/okoye"] = (200, OKOYE)
    assert run(["account", "set", "okoye", *options]) == 0
    assert logged_on.asked == [("PATCH /accounts/okoye", sent)]


def test_a_change_of_nothing_is_wrong_usage(logged_on):
    assert run(["account", "set", "okoye"]) == 2
    assert logged_on.asked == []


@pytest.mark.parametrize("given", ["staple battery", None])
@pytest.mark.usefixtures("_nobody_to_ask")
def test_after_a_new_password_the_profile_goes_on(logged_on, session, monkeypatch, capsys, given):
    if given:
        monkeypatch.setenv("ACMX_NEW_PASSWORD", given)
    logged_on.replies["POST /password"] = (200, OKOYE)
    logged_on.replies["POST /sessions"] = (201, msgspec.structs.replace(session, token="newer"))
    assert run(["account", "password"]) == 0
    (_, change), (_, credentials) = logged_on.asked
    assert change["current"] == "correct horse"
    assert change["new"] == credentials["password"]
    assert given in {None, change["new"]}
    assert (change["new"] in capsys.readouterr().err) is (given is None)
    kept = load(None)
    assert (kept.session.token, kept.certificate) == ("newer", logged_on.certificate.read_text())


def test_a_log_off_ends_the_session_there_and_here(logged_on, home):
    standing = {
        "account": "okoye",
        "mc_service_id": OKOYE.mc_service_id,
        "roles": [],
        "system": "x",
        "automatic": False,
    }
    logged_on.replies["DELETE /session"] = (200, standing)
    assert run(["logout"]) == 0
    assert logged_on.asked == [("DELETE /session", None)]
    assert not list(home.glob("profiles/*"))
    assert run(["pending"]) == 1


def test_what_cannot_be_ended_there_is_forgotten_here(logged_on, home, capsys):
    logged_on.refuses("DELETE /session", 401, "not-authenticated")
    assert run(["logout"]) == 0
    assert "Forgotten here only" in capsys.readouterr().err
    assert not list(home.glob("profiles/*"))


@pytest.mark.parametrize(
    ("line", "route"),
    [
        (["set", "okoye", "--role", "auditor"], "PATCH /accounts/okoye"),
        (["enable", "okoye"], "POST /accounts/okoye/enablement"),
        (["choose", "okoye"], "POST /accounts/okoye/choice"),
    ],
)
def test_what_waits_for_another_operator_is_not_done_yet(logged_on, capsys, line, route):
    logged_on.replies[route] = (200, msgspec.structs.replace(OKOYE, waiting=CHANGE.id))
    assert run(["account", *line]) == 3
    assert f"acmx account approve {CHANGE.id}" in capsys.readouterr().err


def test_what_waits_is_listed_with_what_would_change(logged_on, capsys):
    logged_on.replies["GET /account-changes"] = (200, WaitingChanges([CHANGE]))
    assert run(["account", "changes"]) == 0
    shown = capsys.readouterr().out
    for part in (CHANGE.id, "sip:eze@mc.county-fire.example", "roles so far: reviewer", "auditor"):
        assert part in shown


@pytest.mark.parametrize(
    ("line", "route", "sent"),
    [
        (["approve", "7"], "POST /account-changes/7/approval", None),
        (["refuse", "7"], "POST /account-changes/7/refusal", {}),
        (["refuse", "7", "--reason", "no"], "POST /account-changes/7/refusal", {"reason": "no"}),
    ],
)
def test_another_operator_approves_or_refuses(logged_on, line, route, sent):
    logged_on.replies[route] = (200, CHANGE)
    assert run(["account", *line]) == 0
    assert logged_on.asked == [(route, sent)]


def test_how_many_operators_it_takes_is_shown_set_and_waits_where_it_is_lowered(logged_on, capsys):
    logged_on.replies["GET /account-approvals"] = (200, AccountApprovalsSet(2, 3, "7"))
    logged_on.replies["PUT /account-approvals"] = (200, AccountApprovalsSet(2, 3, "7"))
    assert run(["account", "approvals"]) == 0
    assert run(["account", "approvals", "--needed", "1"]) == 3
    assert logged_on.asked == [("GET /account-approvals", None), ("PUT /account-approvals", {"needed": 1})]
    assert "acmx account approve 7" in capsys.readouterr().err
    assert run(["account", "approvals", "--needed", "3"]) == 2


def test_of_several_with_one_mc_service_id_the_list_says_so(logged_on, capsys):
    doubled = msgspec.structs.replace(OKOYE, in_doubt=True, shares_with=["other"])
    logged_on.replies["GET /accounts"] = (200, Accounts([doubled]))
    assert run(["account", "list"]) == 0
    assert "same MC service ID as other" in " ".join(capsys.readouterr().out.split())


def test_whom_a_provider_vouches_for_is_listed_and_freed(logged_on, capsys):
    person = VouchedPerson(OKOYE.mc_service_id, "oidc:7f", "https://login.example", ["reviewer"], AT)
    logged_on.replies["GET /vouched"] = (200, VouchedPeople([person]))
    logged_on.replies["POST /vouched/freeing"] = (200, person)
    assert run(["account", "vouched"]) == 0
    assert run(["account", "free", OKOYE.mc_service_id]) == 0
    assert logged_on.asked[-1] == ("POST /vouched/freeing", {"mc_service_id": OKOYE.mc_service_id})
    assert "oidc:7f" in capsys.readouterr().out
