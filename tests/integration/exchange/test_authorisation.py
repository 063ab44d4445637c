"""Step 2 and law 10: denied unless allowed, with the rule; and who sees what."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import BaseRoute, Mount, Route

from acmx.domain.messages import PROBLEM
from acmx.domain.moments import to_ms
from acmx.faces.acm1.routes import ROUTES
from acmx.flows.people.log_on import token_hash
from acmx.storage import accounts
from acmx.storage.accounts import Token
from acmx.trust.roles import ROLES
from support.systems.permits import ACM1, CONSOLE, CONSOLE_OPEN, EVERYBODY, OPEN, STREAMS
from support.systems.systems import FIRE, POLICE, System, Two, eventually, submission, two_systems

NOTHING = "00000000-0000-7000-8000-000000000000"


async def nothing_arrived(police: System, fire: System) -> None:
    """Whatever was sent before a request that is allowed has arrived when that one has."""
    _, accepted = await police.submit("allowed", purpose="allowed")
    await police.reaches(accepted["id"], "stored")
    assert [e["purpose"] for e in (await fire.done("GET", "/requests"))["items"]] == ["allowed"]


async def refused(call: Any) -> Any:
    status, problem = await call
    assert (status, problem["type"]) == (403, PROBLEM + "not-allowed"), problem
    return problem


@pytest.mark.law(10)
@pytest.mark.step(1, 2)
@pytest.mark.parametrize(
    ("account", "changes", "rule"),
    [
        ("reviewer", {}, "role:submit"),
        ("auditor", {}, "role:submit"),
        ("requester", {"users": [f"sip:officer.1@{POLICE}", f"sip:officer.1@{FIRE}"]}, "own-users"),
        ("requester", {"users": ["tel:+4420794600"]}, "own-users"),
    ],
)
async def test_what_step_2_refuses_is_kept_here_and_never_sent(
    account: str, changes: dict[str, Any], rule: str, systems: Two
) -> None:
    police, fire = systems
    first = await refused(police.submit("k", account=account, **changes))
    assert first["rule"] == rule
    again = await refused(police.submit("k", account=account, **changes))
    assert again == first
    exchange = await police.exchange(first["exchange"])
    assert (exchange["state"], exchange["asker"]) == ("refused_here", f"sip:{account}@{POLICE}")
    entry = exchange["journal"][-1]
    assert (entry["event"], entry["detail"]["rule"]) == ("not-authorised", rule)
    assert next(s for s in exchange["steps"] if s["n"] == 2)["status"] == "failed"
    assert await police.counts() == {"exchange": 1, "message": 1, "outbox": 0, "idempotency": 1}
    await nothing_arrived(police, fire)


async def test_the_foreign_users_are_named_to_the_requester(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        problem = await refused(police.submit(users=[f"sip:stranger.{n}@{FIRE}" for n in range(5)]))
        assert problem["detail"].startswith(
            "5 of the users do not belong to mc.metro-police.example: sip:str"
        )


@pytest.mark.step(1)
async def test_the_same_key_and_document_make_one_exchange(systems: Two) -> None:
    police, fire = systems
    answers = await asyncio.gather(*(police.submit("k") for _ in range(8)))
    answers += [await police.submit("k", urgency="normal", content={})]
    assert {status for status, _ in answers} == {201}
    assert len({accepted["id"] for _, accepted in answers}) == 1
    await police.reaches(answers[0][1]["id"], "stored")
    assert await fire.counts("exchange", "message") == {"exchange": 1, "message": 1}


@pytest.mark.step(1)
async def test_a_key_belongs_to_one_document_of_one_account(systems: Two) -> None:
    police, _ = systems
    _, mine = await police.submit("k", account="requester")
    status, problem = await police.submit("k", account="requester", purpose="another")
    assert (status, problem["type"]) == (422, PROBLEM + "key-reused")
    status, theirs = await police.submit("k", account="admin")
    assert (status, theirs["id"] != mine["id"]) == (201, True)


def addressed(**addressee: str) -> dict[str, Any]:
    return {"addressee": addressee}


async def add_account(system: System, name: str, **changes: Any) -> str:
    """An account, and the token of its session."""
    usual = {"mc_service_id": f"sip:{name}@{system.id}", "roles": ["reviewer"], "password": "a long password"}
    await system.done("POST", "/accounts", {"name": name} | usual | changes)
    credentials = {"account": name, "password": usual["password"]}
    return str((await system.done("POST", "/sessions", credentials))["token"])


async def decidable(fire: System, account: str) -> set[str]:
    """The purposes of what waits for this person."""
    return {e["purpose"] for e in (await fire.done("GET", "/pending", account=account))["to_decide"]}


async def listed(system: System, account: str) -> set[str]:
    return {e["purpose"] for e in (await system.done("GET", "/requests", account=account))["items"]}


@pytest.mark.law(10)
@pytest.mark.step(9, 10)
async def test_a_reviewer_sees_what_is_addressed_to_them_their_alias_or_nobody(systems: Two) -> None:
    police, fire = systems
    alias = f"sip:duty-officer@{FIRE}"
    duty = await add_account(fire, "duty", functional_aliases=[alias])
    requests = {
        "to anybody": {},
        "to reviewer": addressed(mc_service_id=f"sip:reviewer@{FIRE}"),
        "to the alias": addressed(functional_alias=alias),
        "to both": addressed(mc_service_id=f"sip:reviewer@{FIRE}", functional_alias=alias),
        "to somebody else": addressed(mc_service_id=f"sip:nobody@{FIRE}"),
    }
    ids = {p: (await police.submit(p, purpose=p, **given))[1]["id"] for p, given in requests.items()}
    for id_ in ids.values():
        await police.reaches(id_, "stored")
    assert await decidable(fire, "reviewer") == {"to anybody", "to reviewer", "to both"}
    assert await decidable(fire, duty) == {"to anybody", "to the alias", "to both"}
    assert await listed(fire, "reviewer") == {"to anybody", "to reviewer", "to both"}
    assert await listed(fire, "auditor") == set(requests)
    assert await decidable(fire, "auditor") == await decidable(fire, "requester") == set()
    status, _ = await fire.call("GET", f"/requests/{ids['to the alias']}", account="reviewer")
    assert status == 404
    status, _ = await fire.review(ids["to the alias"], account="reviewer")
    assert status == 404
    status, _ = await fire.review(ids["to the alias"], account=duty)
    assert status == 200
    handler = (await police.reaches(ids["to the alias"], "answered"))["decided_by"]
    assert handler == f"sip:duty@{FIRE}"
    shown = await fire.exchange(ids["to both"])
    assert (shown["addressee"], shown["addressee_alias"]) == (f"sip:reviewer@{FIRE}", alias)
    for account in ("reviewer", duty):
        news = (await fire.done("GET", "/news", account=account))["items"]
        assert ids["to both"] in [one["exchange"] for one in news]
    answer = await police.done("POST", f"/requests/{ids['to the alias']}/retrieval")
    assert answer["handler"]["functional_alias"] == alias


@pytest.mark.law(10)
@pytest.mark.step(17, 18)
async def test_a_requester_sees_and_retrieves_the_own_exchanges_only(systems: Two) -> None:
    police, fire = systems
    other = await add_account(police, "other", roles=["requester"])
    _, accepted = await police.submit(account="requester")
    path = f"/requests/{accepted['id']}"
    await police.reaches(accepted["id"], "stored")
    await fire.review(accepted["id"])
    await police.reaches(accepted["id"], "answered")
    assert await listed(police, other) == await listed(police, "operator") == set()
    assert len(await listed(police, "requester")) == len(await listed(police, "auditor")) == 1
    for method, where in (
        ("GET", path),
        ("POST", f"{path}/retrieval"),
        ("POST", f"{path}/withdrawal"),
    ):
        status, _ = await police.call(method, where, {} if "withdrawal" in where else None, account=other)
        assert status == 404
    assert (await police.done("GET", "/pending", account=other))["to_fetch"] == []
    assert (await refused(police.call("POST", f"{path}/retrieval")))["rule"] == "own-requests"
    assert (await refused(police.withdraw(accepted["id"])))["rule"] == "own-requests"
    assert (await police.exchange(accepted["id"]))["state"] == "answered"


def call_of(path: str) -> str:
    for name in ("id", "name", "version"):
        path = path.replace(f"{{{name}}}", NOTHING if name == "id" else "1")
    return path


def every_call() -> Iterator[tuple[str, str, Any]]:
    """Each route of the table: its row in `permits`, its method and path, a document that it can read."""
    for row in ROUTES:
        document = submission() if row.path == "/requests" and row.method == "POST" else b""
        yield f"{row.method} {row.path}", f"{row.method} {call_of(row.path)}", document


def served(routes: list[BaseRoute]) -> set[str]:
    return {
        f"{method} {route.path.removeprefix('/acm1/v1')}"
        for route in routes
        if isinstance(route, Route)
        for method in route.methods - {"HEAD"}
    }


async def test_every_route_has_a_row_and_every_row_a_route(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        routes = police.server._face1._config.app._app.routes
        (console,) = (route for route in routes if isinstance(route, Mount))
        assert served(routes) == {*ACM1, *OPEN, *STREAMS, "GET /console"}
        assert served(console.app._app.routes) == {*CONSOLE, *CONSOLE_OPEN}
        assert set(ROLES) == set(EVERYBODY)


@pytest.mark.law(10)
async def test_every_route_refuses_exactly_the_roles_that_the_table_does_not_permit(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        for name, call, document in every_call():
            method, path = call.split()
            for role in ROLES:
                key = {"Idempotency-Key": f"{name} {role}"}
                status, said = await police.call(method, path, document, account=role, **key)
                assert (status == 403) is (role not in ACM1[name]), (name, role, said)
                assert status != 403 or said["rule"].startswith("role:")


@pytest.mark.law(10)
async def test_no_route_serves_a_caller_who_is_nobody(tmp_path: Path) -> None:
    """No token, a token that never was, one that has expired, of a disabled account, of one without any role."""

    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        leaver = await add_account(police, "leaver", roles=list(ROLES))
        await police.done("POST", "/accounts/leaver/disablement")
        await keep_token(police, "expired", "admin", ends_at=to_ms(police.clock()))
        await keep_token(police, "powerless", await without_roles(police))
        nobodies = {None: 403, "stolen": 401, "expired": 401, leaver: 401, "powerless": 403}
        for name, call, document in [*every_call(), *((s, s, None) for s in STREAMS)]:
            method, path = call.split()
            for token, expected in nobodies.items():
                headers = {"Idempotency-Key": name}
                status, said = await police.call(method, path, document, account=token, **headers)
                assert status == expected, (name, token, said)
        assert await police.counts("exchange", "outbox") == {"exchange": 1, "outbox": 0}
        assert (await police.done("GET", "/requests"))["items"][0]["state"] == "refused_here"


async def keep_token(system: System, secret: str, account: str, ends_at: int = 2**52) -> None:
    token = Token(token_hash(secret), account, 0, ends_at)
    await system.store.write(lambda tx: accounts.insert_token(tx, token, 0))


async def without_roles(system: System) -> str:
    await add_account(system, "powerless")
    await system.store.write(lambda tx: tx.execute("UPDATE account SET roles = '' WHERE name = 'powerless'"))
    return "powerless"


@pytest.mark.law(10)
async def test_every_route_of_an_exchange_says_of_another_s_that_there_is_none(systems: Two) -> None:
    """For requesters who did not ask, and reviewers to whom it is not addressed."""

    police, fire = systems
    stranger = await add_account(police, "stranger", roles=["requester"])
    addressee = addressed(mc_service_id=f"sip:nobody@{FIRE}")
    _, accepted = await police.submit(account="requester", **addressee)
    await police.reaches(accepted["id"], "stored")
    others = {
        (POLICE, "requester"): stranger,
        (FIRE, "reviewer"): "reviewer",
    }
    documents: dict[str, Any] = {
        "review": {"verdicts": [{"approved": True}], "reason": "x", "seen": "1.1"},
        "withdrawal": {},
        "questions": {"text": "x"},
        "revocation": {"reason": "x"},
        "answers": {"question": 1, "text": "x"},
        "provisionings": {"mode": "preview"},
    }
    tried = set()
    for name in (name for name in ACM1 if "/requests/{id}" in name):
        method, path = name.split()
        for system, (id_, role) in ((police, (POLICE, "requester")), (fire, (FIRE, "reviewer"))):
            if role not in ACM1[name]:
                continue
            tried.add(name)
            document = documents.get(path.rpartition("/")[2])
            call = path.replace("{id}", accepted["id"])
            status, said = await system.call(method, call, document, account=others[id_, role])
            assert (status, said["type"]) == (404, PROBLEM + "not-found"), (name, role, said)
            assert "nobody" not in str(said)
    sees_all = {name for name in ACM1 if ACM1[name] == ("auditor",)}
    assert tried == {name for name in ACM1 if "/requests/{id}" in name} - sees_all


@pytest.mark.law(10)
async def test_a_refusal_for_want_of_a_role_is_audited_once_a_minute(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        for _ in range(3):
            await refused(police.call("GET", "/audit", account="requester"))
        police.clock.advance(minutes=1)
        await refused(police.call("GET", "/audit", account="requester"))
        found = (await police.done("GET", "/audit", account="auditor"))["items"]
        rows = [(e["actor"], e["detail"]["type"]) for e in found if e["event"] == "refused"]
        assert rows == [(f"sip:requester@{POLICE}", "role:audit")] * 2


@pytest.mark.law(10)
async def test_a_disabled_account_is_out_at_once(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        token = await add_account(police, "leaver", roles=["requester"])
        assert (await police.submit(account=token))[0] == 201
        await police.done("POST", "/accounts/leaver/disablement")
        assert (await police.submit("2", account=token))[0] == 401
        status, _ = await police.call(
            "POST", "/sessions", {"account": "leaver", "password": "a long password"}, account=None
        )
        assert status == 401


@pytest.mark.law(9)
@pytest.mark.step(11, 12)
async def test_a_decision_needs_a_post_a_right_and_a_reason_and_keeps_the_name(systems: Two) -> None:
    police, fire = systems
    _, accepted = await police.submit()
    path = f"/requests/{accepted['id']}/review"
    await police.reaches(accepted["id"], "stored")
    assert (await fire.call("GET", path))[0] == 405
    assert (await fire.call("POST", path, account=None))[0] == 403
    assert (await fire.review(accepted["id"], account="requester"))[0] == 403
    assert (await fire.review(accepted["id"], reason=""))[0] == 422
    assert (await fire.exchange(accepted["id"]))["state"] == "pending"
    await fire.review(accepted["id"], {"approved": False}, reason="no mutual aid", account="reviewer")
    for system in (fire, police):
        exchange = await eventually(
            lambda s=system: s.exchange(accepted["id"]), lambda e: e.get("outcome") is not None
        )
        assert exchange["decided_by"] == f"sip:reviewer@{FIRE}"
        assert exchange["verdicts"][0]["reason"] == "no mutual aid"
