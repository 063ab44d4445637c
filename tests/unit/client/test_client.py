import json

import pytest

from acmx.client import Client
from acmx.client.client import RECONNECT_MOST
from acmx.client.connection import TRIES
from acmx.domain.acm1 import (
    Accepted,
    AuditPage,
    JournalEntry,
    NewAccount,
    NewIdentities,
    Page,
    Pending,
    Review,
    Reviewed,
    RevocationInput,
    Revoked,
    Session,
    Submission,
    VerdictInput,
)
from acmx.domain.errors import (
    AcmxError,
    NotAllowed,
    NotAuthenticated,
    NotYet,
    TemporarilyUnavailable,
    Unreachable,
)

AT = "2026-10-03T14:02:11Z"
SUBMISSION = Submission(
    kind="server-identity", partner="mc.fire.example", users=("sip:a@mc.police.example",), purpose="flood"
)
HINT = b'event: look-again\ndata: {"mc_service_id":"sip:a@mc.police.example"}\n\n'
SUMMARY = {
    "primary": "mc.police.example",
    "partner": "mc.fire.example",
    "role": "primary",
    "state": "queued",
    "kind": "server-identity",
    "asker": "sip:a@mc.police.example",
    "urgency": "normal",
    "purpose": "flood",
    "user_count": 1,
    "created_at": AT,
}
EXCHANGE = {
    **SUMMARY,
    "id": "x",
    "seen": "1.0",
    "users": [],
    "content": {},
    "steps": [],
    "journal": [],
    "waiting": [],
}


def test_the_token_of_a_log_on_is_used_from_then_on(server):
    server.answers(Session("fresh", "a", "sip:a@mc.police.example", [], "mc.police.example", AT), 201)
    server.answers(Page([]))
    with Client(server.url, certificate=server.certificate) as client:
        client.log_on("a", "secret")
        client.requests()
    assert "Authorization" not in server.asked[0].headers
    assert json.loads(server.asked[0].body) == {"account": "a", "password": "secret"}
    assert server.asked[1].headers["Authorization"] == "Bearer fresh"


@pytest.mark.law(3)
def test_a_submission_whose_reply_is_lost_is_sent_again_under_the_same_key(server, client):
    server.drops()
    server.drops()
    server.answers(Accepted("x", "queued"), 201)
    assert client.submit(SUBMISSION, "key-1") == Accepted("x", "queued")
    assert [asked.headers["Idempotency-Key"] for asked in server.asked] == ["key-1"] * 3
    assert len({asked.body for asked in server.asked}) == 1
    assert server.pauses == sorted(set(server.pauses))


def test_a_submission_is_given_up_after_some_tries(server, client):
    for _ in range(TRIES):
        server.drops()
    with pytest.raises(Unreachable):
        client.submit(SUBMISSION, "key-1")
    assert len(server.asked) == TRIES


def test_a_refused_submission_is_not_sent_again(server, client):
    server.refuses(503, "unavailable")
    with pytest.raises(TemporarilyUnavailable):
        client.submit(SUBMISSION, "key-1")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "act",
    [
        lambda c: c.add_account(NewAccount("a", "sip:a@b.example", (), "long enough password")),
        lambda c: c.set_identities(NewIdentities({})),
        lambda c: c.set_policy(""),
        lambda c: c.log_on("a", "secret"),
    ],
)
def test_what_would_be_done_twice_is_tried_once(server, client, act):
    server.drops()
    with pytest.raises(Unreachable):
        act(client)
    assert len(server.asked) == 1


def test_a_review_whose_reply_is_lost_is_sent_again(server, client):
    server.drops()
    server.answers(Reviewed("x", "decided", "approved", 1, 0))
    assert client.review("x", Review((VerdictInput(True),), "agreed", "1.1")).outcome == "approved"
    assert json.loads(server.asked[1].body) == {
        "verdicts": [{"approved": True}],
        "reason": "agreed",
        "seen": "1.1",
    }


def test_a_revocation_whose_reply_is_lost_is_sent_again(server, client):
    server.drops()
    server.answers(Revoked("x", "live", 1, 2))
    assert client.revoke("x", RevocationInput("left", ("sip:a@b.example",))).approved == 2
    assert json.loads(server.asked[1].body) == {"reason": "left", "users": ["sip:a@b.example"]}


def test_a_problem_is_raised_with_its_rule_and_exchange(server, client):
    server.refuses(403, "not-allowed", detail="1 of the users", rule="own-users", exchange="x")
    with pytest.raises(NotAllowed) as refused:
        client.submit(SUBMISSION, "key-1")
    assert refused.value.detail == "1 of the users"
    assert refused.value.members == {"rule": "own-users", "exchange": "x"}


def test_there_is_no_answer_yet(server, client):
    server.refuses(409, "not-yet", state="stored")
    with pytest.raises(NotYet):
        client.retrieve("x")
    assert server.asked[0].line == "POST /acm1/v1/requests/x/retrieval"


def test_an_exchange_is_named_by_one_part_of_the_path(server, client):
    server.answers(EXCHANGE)
    client.exchange("mc.fire.example:x/../y")
    assert server.asked[0].line == "GET /acm1/v1/requests/mc.fire.example%3Ax%2F..%2Fy"


def test_a_reply_that_is_not_acm1_is_no_success(server, client):
    server.answers({"hello": "world"})
    with pytest.raises(Unreachable):
        client.add_partner(None)


@pytest.mark.law(13)
def test_all_pages_of_a_list_are_read(server, client):
    entries = [JournalEntry(n, AT, "submitted", "a") for n in range(3)]
    server.answers(AuditPage(entries[:2], "1"))
    server.answers(AuditPage(entries[2:]))
    assert [entry.serial for entry in client.all_audit()] == [0, 1, 2]
    assert [asked.line for asked in server.asked] == ["GET /acm1/v1/audit", "GET /acm1/v1/audit?after=1"]


@pytest.mark.law(13)
def test_the_pages_of_what_is_pending_are_one(server, client):
    server.answers(Pending("sip:a@b.example", [{**SUMMARY, "id": "1"}], [], [], "1"))
    server.answers(Pending("sip:a@b.example", [{**SUMMARY, "id": "2"}], [{**SUMMARY, "id": "3"}], []))
    pending = client.all_pending()
    assert [summary.id for summary in pending.to_decide] == ["1", "2"]
    assert [summary.id for summary in pending.to_fetch] == ["3"]


@pytest.mark.law(8)
@pytest.mark.step(16)
def test_a_lost_stream_is_opened_again_until_the_server_says_no(server, client):
    server.streams(b": still here\n\n", HINT[:20], HINT[20:])
    server.drops()
    server.refuses(503, "unavailable")
    server.streams(HINT, b"event: other\ndata: {}\n\n", HINT)
    server.refuses(401, "not-authenticated")
    lost: list[AcmxError] = []
    hints = client.notifications(lambda error, _: lost.append(error))
    for _ in range(3):
        assert next(hints).mc_service_id == "sip:a@mc.police.example"
    with pytest.raises(NotAuthenticated):
        next(hints)
    assert [type(error) for error in lost] == [Unreachable, Unreachable, TemporarilyUnavailable, Unreachable]


def test_the_pauses_between_two_streams_grow_up_to_a_limit_until_there_is_a_hint(server, client):
    for _ in range(8):
        server.drops()
    server.streams(HINT)
    server.refuses(401, "not-authenticated")
    with pytest.raises(NotAuthenticated):
        list(client.notifications())
    assert max(server.pauses) <= RECONNECT_MOST
    assert server.pauses[7] >= RECONNECT_MOST / 2
    assert server.pauses[8] <= 1


@pytest.mark.law(8)
def test_waiting_ends_when_the_list_says_so_however_often_the_server_is_away(server, client):
    nothing = Pending("sip:a@b.example", [], [], [])
    server.streams(HINT)
    server.answers(nothing)
    server.answers(EXCHANGE)
    server.streams(HINT)
    for _ in range(TRIES):
        server.drops()
    server.streams(HINT)
    server.answers(nothing)
    server.answers({**EXCHANGE, "state": "answered"})
    assert client.wait("x").state == "answered"


def test_a_token_that_is_no_good_any_more_is_renewed_once(server):
    server.refuses(401, "not-authenticated")
    server.answers({"items": []})
    server.refuses(401, "not-authenticated")
    server.refuses(401, "not-authenticated")
    with Client(server.url, "old", server.certificate, renew=lambda: "new") as client:
        assert client.requests().items == []
        with pytest.raises(NotAuthenticated):
            client.requests()
    told = [asked.headers["Authorization"] for asked in server.asked]
    assert told == ["Bearer old", "Bearer new", "Bearer new", "Bearer new"]
