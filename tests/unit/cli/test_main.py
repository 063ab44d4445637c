import json
import shlex
import subprocess
import sys
from datetime import UTC, datetime

import msgspec
import pytest

from acmx.cli.main import app, run
from acmx.domain.acm1 import (
    Accepted,
    Accounts,
    AuditPage,
    JournalEntry,
    Notice,
    NoticePage,
    OutboxPage,
    Page,
    Summary,
    Telling,
)

ID = "01a206cb-f5c6-77ad-94c0-f9f1f6155a0d"
AT = "2026-10-03T14:02:11Z"
SUMMARY = Summary(
    id=ID,
    primary="mc.metro-police.example",
    partner="a-rather-long-name.mc.metro-police.example",
    role="partner",
    state="refused_by_partner",
    kind="server-identity",
    asker="sip:silva@mc.metro-police.example",
    urgency="urgent",
    purpose="Flood at the river, and everything else that has happened since the beginning of the year",
    user_count=10_000,
    created_at=datetime(2026, 10, 3, 14, 2, 11, tzinfo=UTC),
    outcome="partly-approved",
)
NOTICE = Notice(
    serial=7,
    at=datetime(2026, 10, 3, 14, 2, 11, tzinfo=UTC),
    event="withdrawal",
    audience="reviewers",
    exchange=ID,
    primary="mc.metro-police.example",
    tellings=[Telling("mail", "desk@x.example", "failed", 1, last_error="no such user")],
)


def commands(part=app, path=("acmx",)):
    for name, command in part.resolved_commands().items():
        if not name.startswith("-"):
            below = list(commands(command, (*path, name)))
            yield from below or [(*path, name)]


COMMANDS = list(commands())


def test_the_commands_are_those_that_were_promised():
    assert {" ".join(path[1:]) for path in COMMANDS} == {
        *("init", "serve", "doctor", "backup", "restore", "migrate", "demo", "login", "logout"),
        *(f"account {verb}" for verb in ("add", "list", "set", "disable", "enable", "unlock", "password")),
        *(f"account {verb}" for verb in ("choose", "changes", "approve", "refuse", "approvals", "recover")),
        *("account vouched", "account free"),
        *("identities show", "identities set", "identities holders"),
        *(
            f"partner {verb}"
            for verb in (
                *("export", "add", "accept", "list", "show", "set", "suspend", "resume", "remove"),
                *("check", "compare", "approvals"),
            )
        ),
        *("partner check", "partner compare"),
        *(
            "request server-identity",
            "give server-identity",
            "requests",
            "show",
            "pending",
            "review",
            "revoke",
            "ask",
            "answer",
            "fetch",
            "withdraw",
            "watch",
        ),
        *("keys list", "keys rotate", "keys revoke"),
        *("certificates list", "certificates next", "certificates switch"),
        *("partner changes", "partner confirm"),
        *("news", "notices", "policy show", "policy check", "policy set"),
        *("policy try", "policy explain", "policy facts", "policy roles"),
        *("health", "outbox retry", "clock confirm"),
        *(
            "audit checkpoint",
            "audit verify",
            "audit export",
            "audit acknowledge",
            "evidence verify",
            "purge",
        ),
        *("provision", "template show", "template set", "identities import"),
    }


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_each_command_explains_itself_with_an_example_in_eighty_columns(path, capsys):
    assert run([*path[1:], "--help"]) == 0
    text = capsys.readouterr().out
    assert "For example:" in text
    assert f"    {' '.join(path)}" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_each_command_but_those_that_stay_up_can_answer_in_json(path, capsys):
    run([*path[1:], "--help"])
    assert ("--json" in capsys.readouterr().out) == (path[1] not in {"serve", "demo"})


def test_help_does_not_load_the_server():
    code = (
        "import sys; from acmx.cli.main import run; status = run(['--help'])\n"
        "sys.exit(status or str(sorted({'aiohttp', 'starlette', 'uvicorn', 'apsw', 'cedarpy'} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize(
    "line",
    [
        ["no-such-command"],
        ["fetch"],
        ["fetch", ID, "--no-such-option"],
        ["fetch", ID, "and more"],
        ["policy", "check", "/no/such/file"],
        ["request", "server-identity", "--partner", "p", "--purpose", "x"],
        [
            "request",
            "server-identity",
            "--partner",
            "p",
            "--purpose",
            "x",
            "--user",
            "u",
            "--expires",
            "soon",
        ],
        ["request", "server-identity", "--partner", "p", "--purpose", "x", "--user", "u", "--service", "fax"],
        ["review", ID, "--reason", "x"],
        ["review", ID, "--reason", "x", "--approve", "--decline"],
        ["review", ID, "--reason", "x", "--approve", "--yes"],
        ["review", ID, "--reason", "x", "--approve"],
    ],
)
@pytest.mark.usefixtures("_nobody_to_ask")
def test_wrong_usage_is_2_and_nothing_is_asked(logged_on, line, capsys):
    assert run(line) == 2
    said = capsys.readouterr()
    assert said.err
    assert not said.out
    assert logged_on.asked == []


def test_nobody_has_logged_on(home, capsys):
    assert run(["requests"]) == 1
    assert "acmx login" in capsys.readouterr().err


def test_not_yet_is_3(logged_on, capsys):
    logged_on.refuses(
        f"POST /requests/{ID}/retrieval", 409, "not-yet", detail="It is stored.", state="stored"
    )
    assert run(["fetch", ID]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "There is no answer yet. It is stored.\n  state: stored\n"


@pytest.mark.law(10)
def test_a_refusal_is_1_and_says_the_rule_the_exchange_and_each_fault(logged_on, capsys):
    faults = [{"field": f"users[{n}]", "value": "x", "rule": "must begin with sip:"} for n in range(100)]
    logged_on.refuses(
        "POST /requests",
        422,
        "invalid-input",
        faults=faults,
        faults_total=2000,
        rule="own-users",
        exchange=ID,
    )
    line = ["request", "server-identity", "--partner", "p", "--purpose", "x", "--user", "u"]
    assert run(line) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "The input breaks the rules.",
        *(f"  users[{n}]: 'x' must begin with sip:" for n in range(20)),
        "  and 1,980 more",
        "  rule: own-users",
        f"  exchange: {ID}",
    ]


def test_a_file_that_cannot_be_written_is_1(logged_on, tmp_path, capsys):
    logged_on.replies["GET /partner-file"] = (200, {"metadata": "{}", "signature": ""})
    assert run(["partner", "export", str(tmp_path / "no" / "such" / "folder")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_an_error_that_nobody_expected_is_raised_with_its_traceback(logged_on, monkeypatch):
    logged_on.replies["GET /requests"] = (200, Page([]))
    monkeypatch.setattr("sys.stdout.flush", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(["requests", "--json"])


@pytest.mark.parametrize(
    ("line", "route", "document"),
    [
        (["requests", "--state", "answered"], "GET /requests?state=answered", Page([SUMMARY], "9")),
        (
            ["audit", "--limit", "1"],
            "GET /audit?limit=1",
            AuditPage([JournalEntry(1, AT, "submitted", "a")], "1"),
        ),
        (["notices", "--limit", "1"], "GET /notices?limit=1", NoticePage([NOTICE], "1")),
        (["account", "list"], "GET /accounts", Accounts([])),
        (["withdraw", ID], f"POST /requests/{ID}/withdrawal", Accepted(ID, "withdrawing")),
    ],
)
def test_json_is_the_document_and_nothing_else(logged_on, line, route, document, capsys):
    logged_on.replies[route] = (200, document)
    assert run([*line, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == msgspec.to_builtins(document)


@pytest.mark.law(13)
def test_a_list_says_that_there_is_more(logged_on, capsys):
    logged_on.replies["GET /requests"] = (200, Page([SUMMARY], "9"))
    assert run(["requests"]) == 0
    assert "There is more: acmx requests --after 9" in capsys.readouterr().err


@pytest.mark.law(13)
@pytest.mark.parametrize(
    ("line", "route", "page"),
    [
        (
            "requests --state stored --partner mc.fire.example --limit 1",
            "GET /requests?limit=1&state=stored&partner=mc.fire.example",
            Page([SUMMARY], "9"),
        ),
        (
            "audit --event policy-set --actor 'the clock' --limit 1",
            "GET /audit?limit=1&event=policy-set&actor=the+clock",
            AuditPage([JournalEntry(1, AT, "policy-set", "the clock")], "9"),
        ),
        (
            "outbox --partner mc.fire.example",
            "GET /outbox?partner=mc.fire.example",
            OutboxPage([], "9"),
        ),
    ],
)
def test_the_next_page_is_chosen_as_the_one_before(line, route, page, logged_on, capsys):
    logged_on.replies[route] = (200, page)
    assert run(shlex.split(line)) == 0
    assert f"There is more: acmx {line} --after 9\n" in capsys.readouterr().err


@pytest.mark.law(7)
def test_notices_say_who_was_told_what_and_what_failed(logged_on, capsys):
    logged_on.replies["GET /notices"] = (200, NoticePage([NOTICE], "7"))
    assert run(["notices"]) == 0
    said = capsys.readouterr()
    for part in (ID, "withdrawal", "reviewers", "mail", "desk@x.example", "failed", "no such user"):
        assert part in said.out
    assert "acmx notices --after 7" in said.err


def test_a_table_fits_eighty_columns_with_the_exchange_on_one_line(logged_on, capsys):
    logged_on.replies["GET /requests"] = (200, Page([SUMMARY]))
    run(["requests"])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.startswith(f"{ID} ") for line in lines)


def test_what_a_stranger_wrote_does_not_steer_the_terminal(logged_on, capsys):
    evil = msgspec.structs.replace(SUMMARY, purpose="\x1b[2J[red]\u202eflood")
    logged_on.replies["GET /requests"] = (200, Page([evil]))
    run(["requests"])
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "[2J[red]" in shown


def test_a_profile_is_chosen_by_option_before_environment(logged_on, monkeypatch, capsys):
    logged_on.replies["GET /requests"] = (200, Page([]))
    monkeypatch.setenv("ACMX_PROFILE", "nobody")
    assert run(["requests"]) == 1
    assert run(["requests", "--as", "okoye"]) == 0
