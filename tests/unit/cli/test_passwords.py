import json

import pytest

from acmx.cli.main import run
from acmx.domain.acm1 import Account

ADD = ["account", "add", "bob", "--mc-service-id", "sip:bob@mc.county-fire.example", "--role", "reviewer"]
BOB = Account("bob", "sip:bob@mc.county-fire.example", [], ["reviewer"], automatic=False, disabled=False)


def test_the_password_of_a_new_account_comes_from_the_environment(logged_on, capsys):
    logged_on.replies["POST /accounts"] = (201, BOB)
    assert run(ADD) == 0
    assert logged_on.asked[0][1]["password"] == "correct horse"
    said = capsys.readouterr()
    assert "correct horse" not in said.out + said.err


@pytest.mark.usefixtures("_nobody_to_ask")
def test_a_password_that_was_made_up_is_told_once_beside_the_result(logged_on, monkeypatch, capsys):
    monkeypatch.delenv("ACMX_PASSWORD")
    logged_on.replies["POST /accounts"] = (201, BOB)
    assert run([*ADD, "--json"]) == 0
    said = capsys.readouterr()
    made_up = logged_on.asked[0][1]["password"]
    assert len(made_up) >= 20
    assert said.err.count(made_up) == 1
    assert json.loads(said.out)["name"] == "bob"


@pytest.mark.usefixtures("_nobody_to_ask")
def test_no_password_is_told_of_an_account_that_was_not_added(logged_on, monkeypatch, capsys):
    monkeypatch.delenv("ACMX_PASSWORD")
    logged_on.refuses("POST /accounts", 403, "not-allowed")
    assert run(ADD) == 1
    assert "Password" not in capsys.readouterr().err


@pytest.mark.usefixtures("_nobody_to_ask")
def test_a_server_is_set_up_once_and_its_first_password_is_told(home, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("ACMX_PASSWORD")
    line = ["init", str(tmp_path / "fire"), "--system", "mc.county-fire.example", "--json"]
    assert run(line) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["account"] == "admin"
    assert "Password of admin, shown only now: " in said.err
    assert run(line) == 1
    assert "Password" not in capsys.readouterr().err
