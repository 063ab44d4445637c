import json

import msgspec
import pytest

from acmx.cli.main import run
from acmx.cli.profiles import load
from acmx.domain.acm1 import Account

OKOYE = Account(
    "okoye", "sip:okoye@mc.county-fire.example", [], ["reviewer"], automatic=False, disabled=False
)


@pytest.mark.parametrize(
    ("verb", "place"), [("enable", "enablement"), ("disable", "disablement"), ("unlock", "unlocking")]
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
