import signal
from datetime import UTC, datetime

import msgspec
import pytest

from acmx.cli.main import run
from acmx.domain.acm1 import Accepted, Answer, JournalEntry, Pending, Remark, Waiting
from acmx.domain.messages import Verdict

ID = "01a206cb-f5c6-77ad-94c0-f9f1f6155a0d"
FIRE = "mc.county-fire.example"
ASK = ["request", "server-identity", "--partner", FIRE, "--purpose", "Flood"]
U = "sip:a@mc.metro-police.example"


@pytest.fixture
def answer(exchange):
    return Answer(
        id=ID,
        partner=FIRE,
        outcome="approved",
        automatic=True,
        decided_at=exchange.created_at,
        verdicts=(Verdict(True, (U,), "agreed"),),
        content={"services": ["mcptt"], "server_identity": {"mc_system_id": FIRE, "kms": None}},
    )


def answered(server, exchange, answer):
    server.replies["GET /pending"] = (200, Pending(U, [], [], []))
    server.replies["POST /requests"] = (201, Accepted(ID, "queued"))
    server.replies[f"GET /requests/{ID}"] = (200, msgspec.structs.replace(exchange, state="answered"))
    server.replies[f"POST /requests/{ID}/retrieval"] = (200, answer)


@pytest.mark.step(1)
def test_a_request_says_what_was_asked_for(logged_on, tmp_path, capsys):
    logged_on.replies["POST /requests"] = (201, Accepted(ID, "queued"))
    users = tmp_path / "users.txt"
    users.write_text(f"# one\n{U}\n")
    more = ["--users", str(users), "--user", "sip:b@x.example", "--service", "mcptt", "mcdata", "--urgent"]
    times = ["--valid-from", "2026-10-05", "--valid-until", "2026-10-06T08:00+02:00"]
    assert (
        run(
            [
                *ASK,
                *more,
                *times,
                "--reference",
                "Agreement 7",
                "--to",
                "sip:c@x.example",
                "--to-alias",
                "sip:duty@x.example",
            ]
        )
        == 0
    )
    assert f"acmx show {ID}" in capsys.readouterr().out
    sent = logged_on.asked[0][1]
    assert sent.pop("valid_from").startswith("2026-10-05T00:00:00")
    assert msgspec.convert(sent.pop("valid_until"), datetime) == datetime(2026, 10, 6, 6, tzinfo=UTC)
    assert sent == {
        "kind": "server-identity",
        "partner": FIRE,
        "users": [U, "sip:b@x.example"],
        "purpose": "Flood",
        "reference": "Agreement 7",
        "addressee": {"mc_service_id": "sip:c@x.example", "functional_alias": "sip:duty@x.example"},
        "urgency": "urgent",
        "content": {"services": ["mcptt", "mcdata"]},
    }


@pytest.mark.parametrize(
    "moment",
    ["9999-12-31T23:59:59", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+05:00", "1969-01-01", "soon"],
)
def test_a_moment_beyond_the_calendar_is_wrong_usage(logged_on, capsys, moment):
    assert run([*ASK, "--user", U, "--valid-until", moment]) == 2
    assert moment in capsys.readouterr().err


def test_a_bad_list_of_users_is_refused_before_anything_is_sent(logged_on, tmp_path, capsys):
    users = tmp_path / "users.txt"
    users.write_text(f"{U}\nalice\n")
    assert run([*ASK, "--users", str(users)]) == 1
    assert "users.txt line 2: 'alice'" in capsys.readouterr().err
    assert logged_on.asked == []


@pytest.mark.parametrize(
    ("outcome", "status"), [("approved", 0), ("partly-approved", 0), ("declined", 1), ("expired", 1)]
)
def test_waiting_ends_with_the_answer(logged_on, exchange, answer, capsys, outcome, status):
    answer = msgspec.structs.replace(answer, outcome=outcome)
    answered(logged_on, exchange, answer)
    assert run([*ASK, "--user", U, "--wait", "--json"]) == status
    assert msgspec.json.decode(capsys.readouterr().out, type=Answer) == answer


def test_ctrl_c_while_waiting_leaves_the_request_alone_and_says_so(logged_on, exchange, terminal):
    logged_on.replies["POST /requests"] = (201, Accepted(ID, "queued"))
    logged_on.replies["GET /pending"] = (200, Pending(U, [], [], []))
    logged_on.replies[f"GET /requests/{ID}"] = (200, msgspec.structs.replace(exchange, state="stored"))
    waiting = terminal(*ASK, "--user", U, "--wait")
    assert logged_on.watched.wait(60)
    waiting.process.send_signal(signal.SIGINT)
    status, out, err = waiting.end()
    assert (status, out) == (3, "")
    assert f"The request stays: acmx show {ID}" in err
    assert not any("withdrawal" in line for line, _ in logged_on.asked)


@pytest.mark.step(18)
def test_a_fetched_answer_is_kept_and_shown(logged_on, exchange, answer, tmp_path, capsys):
    answered(logged_on, exchange, answer)
    file = tmp_path / "answer.json"
    assert run(["fetch", ID, "-o", str(file)]) == 0
    assert msgspec.json.decode(file.read_bytes(), type=Answer) == answer
    shown = capsys.readouterr().out
    assert U in shown
    assert f'mc_system_id = "{FIRE}"' in shown
    assert [path.name for path in tmp_path.glob("answer*")] == ["answer.json"]


@pytest.mark.step(9)
def test_what_is_pending_is_listed(logged_on, exchange, capsys):
    logged_on.replies["GET /pending"] = (200, Pending(f"sip:okoye@{FIRE}", [exchange], [], []))
    assert run(["pending"]) == 0
    shown = capsys.readouterr().out
    assert "To decide: 1" in shown
    assert ID in shown
    assert "To fetch: nothing" in shown
    assert "To answer: nothing" in shown


def test_a_question_is_sent_as_it_is_given(logged_on, capsys):
    logged_on.replies[f"POST /requests/{ID}/questions"] = (201, Accepted(ID, "more_information"))
    assert run(["ask", ID, "--text", "Which boats? 2", "--json"]) == 0
    assert msgspec.json.decode(capsys.readouterr().out, type=Accepted).id == ID
    assert run(["ask", ID, "--text", "Which boats? 2"]) == 0
    assert capsys.readouterr().out == f"{ID}: asked.\n"
    assert [document for _, document in logged_on.asked] == [{"text": "Which boats? 2"}] * 2


def said(exchange, *remarks):
    """The exchange with (question, text) of each question, and of each answer (question, text, True)."""
    return msgspec.structs.replace(
        exchange,
        state="more_information",
        conversation=tuple(
            Remark("answer" if rest else "question", exchange.created_at, U, text, number)
            for number, text, *rest in remarks
        ),
    )


Q1, A1, Q2 = (1, "Which boats?"), (1, "Two", True), (2, "Until when?")


@pytest.mark.parametrize(
    ("remarks", "line", "question"),
    [
        ([Q1], "--text Two", 1),
        ([Q1, A1, Q2], "--text Monday", 2),
        ([Q1, Q2], "--text Monday --question 2", 2),
        ([Q1, Q2], "--text Two --question 1", 1),
        ([Q1, A1], "--text Two", 1),
        ([Q1, A1, Q2], "--text Two --question 2", 2),
    ],
    ids=["one", "one-open", "newer", "older", "again", "same-words"],
)
def test_an_answer_goes_to_the_question_that_is_meant_and_says_so(
    logged_on, exchange, capsys, remarks, line, question
):
    logged_on.replies[f"GET /requests/{ID}"] = (200, said(exchange, *remarks))
    logged_on.replies[f"POST /requests/{ID}/answers"] = (201, Accepted(ID, "stored"))
    assert run(["answer", ID, *line.split()]) == 0
    asked = {1: "Which boats?", 2: "Until when?"}[question]
    assert capsys.readouterr().out == f"{ID}: question {question} is answered: {asked}\n"
    assert logged_on.asked[-1] == (
        f"POST /requests/{ID}/answers",
        {"question": question, "text": line.split()[1]},
    )


@pytest.mark.parametrize(
    ("remarks", "status", "words"),
    [
        ([Q1, Q2], 2, "Say which question you answer: --question 1: Which boats? --question 2: Until when?"),
        (
            [Q1, A1, Q2],
            2,
            "Question 1 was answered with just these words. Say which question you answer: --q",
        ),
        ([], 1, "no question of the partner is open"),
    ],
    ids=["several", "same-words", "none"],
)
def test_an_answer_is_not_sent_where_it_is_not_clear_to_which_question(
    logged_on, exchange, capsys, remarks, status, words
):
    logged_on.replies[f"GET /requests/{ID}"] = (200, said(exchange, *remarks))
    assert run(["answer", ID, "--text", "Two"]) == status
    assert words in " ".join(capsys.readouterr().err.split())
    assert [route for route, _ in logged_on.asked] == [f"GET /requests/{ID}"]


def test_what_was_asked_back_is_shown_with_whom_it_waits_for(logged_on, exchange, capsys):
    said = (
        Remark("question", exchange.created_at, f"sip:okoye@{FIRE}", "Which boats?", 1),
        Remark("answer", exchange.created_at, U, "The two of the river brigade", 1),
        Remark("question", exchange.created_at, f"sip:okoye@{FIRE}", "Until when?", 2),
    )
    asked = msgspec.structs.replace(exchange, state="more_information", conversation=said)
    logged_on.replies[f"GET /requests/{ID}"] = (200, asked)
    assert run(["show", ID]) == 0
    shown = capsys.readouterr().out
    places = [shown.index(remark.text) for remark in said]
    assert places == sorted(places)
    names = [shown.index(name) for name in ("question 1 ", "answer to 1 ", "question 2 ")]
    assert sorted(names + places) == [place for pair in zip(names, places, strict=True) for place in pair]
    assert "would disclose" in shown
    assert "Waits for: the asker's answer, or a decision without it: acmx review" in shown


@pytest.mark.step(10)
def test_an_exchange_is_shown_with_what_it_waits_for(logged_on, exchange, capsys):
    logged_on.replies[f"GET /requests/{ID}"] = (
        200,
        msgspec.structs.replace(
            exchange,
            state="decided",
            waiting=[Waiting("response", 3, exchange.created_at, "connection refused")],
            journal=[
                JournalEntry(
                    1, exchange.created_at, "request", "mc.metro-police.example", detail={"digest": "a" * 64}
                )
            ],
        ),
    )
    assert run(["show", ID]) == 0
    shown = capsys.readouterr().out
    assert "Waits for: the partner's receipt of the response" in shown
    assert "response: 3 attempts, the next at 2026-10-03 14:02:11Z" in shown
    assert "last error: connection refused" in shown
    assert f"digest: {'a' * 24}...\n" in "\n".join(line.rstrip() for line in shown.splitlines()) + "\n"
    assert "A: mc.metro-police.example           B: mc.county-fire.example" in shown
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.step(8)
def test_watching_says_what_is_new_until_ctrl_c(logged_on, exchange, terminal):
    logged_on.replies["GET /pending"] = (200, Pending(f"sip:okoye@{FIRE}", [exchange], [], []))
    watching = terminal("watch")
    assert watching.process.stdout.readline().startswith(f"to decide  {ID}  3 users")
    watching.process.send_signal(signal.SIGINT)
    status, out, err = watching.end()
    assert (status, out) == (0, "")
    assert "No longer watching." in err
