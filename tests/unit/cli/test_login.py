import json

import msgspec
import pytest

from acmx.cli.main import run
from acmx.cli.session.profiles import load
from acmx.trust.certificates import fingerprint_of_pem

ACCOUNT = ["--account", "okoye"]
PROFILE = "okoye@mc.county-fire.example"


@pytest.fixture
def server(server, home, session):
    server.replies["POST /sessions"] = (201, session)
    return server


@pytest.mark.step(7)
def test_a_log_on_is_kept_with_the_certificate(server, session):
    assert run(["login", server.url, *ACCOUNT, "--certificate", str(server.certificate)]) == 0
    assert server.asked == [("POST /sessions", {"account": "okoye", "password": "correct horse"})]
    kept = load(None)
    assert (kept.name, kept.url, kept.session) == (PROFILE, server.url, session)
    assert kept.certificate == server.certificate.read_text()


def test_the_token_is_not_printed(server, session, capsys):
    run(["login", server.url, *ACCOUNT, "--certificate", str(server.certificate), "--as", "x", "--json"])
    document = msgspec.to_builtins(session)
    del document["token"]
    assert json.loads(capsys.readouterr().out) == document
    assert load("x").session == session


@pytest.mark.usefixtures("_nobody_to_ask")
def test_without_somebody_to_ask_an_unknown_certificate_is_refused(server, capsys):
    assert run(["login", server.url, *ACCOUNT]) == 1
    assert "--certificate FILE" in capsys.readouterr().err
    assert server.asked == []


@pytest.mark.parametrize(("typed", "status"), [("y\n", 0), ("n\n", 1)])
def test_an_unknown_certificate_is_pinned_if_the_person_says_so(server, home, terminal, typed, status):
    got, _, err = terminal("login", server.url, *ACCOUNT).end(typed)
    shown = "".join(err.split()).replace(":", "").lower()
    assert fingerprint_of_pem(server.certificate.read_text()) in shown
    assert got == status
    assert home.exists() == (status == 0)
    assert bool(server.asked) == (status == 0)
    if status == 0:
        assert run(["login", server.url, *ACCOUNT, "--certificate", str(server.certificate)]) == 0
        assert fingerprint_of_pem(load(PROFILE).certificate) in shown


@pytest.mark.usefixtures("_nobody_to_ask")
def test_without_a_password_and_somebody_to_ask_it_is_wrong_usage(server, monkeypatch):
    monkeypatch.delenv("ACMX_PASSWORD")
    assert run(["login", server.url, *ACCOUNT, "--certificate", str(server.certificate)]) == 2
    assert server.asked == []
