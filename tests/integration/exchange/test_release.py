"""More than one pair of eyes at A: nothing leaves before somebody other than the asker has released it."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from acmx.domain.messages import PROBLEM
from support.systems.systems import FIRE, POLICE, System, eventually, two_systems

YES, NO = {"approved": True}, {"approved": False}
pytestmark = pytest.mark.step(2)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


async def release_needs(police: System, approvals: int) -> None:
    document = {"kind": "server-identity", "release": {"approvals": approvals}}
    await police.done("PUT", f"/partners/{FIRE}/approvals", document)


async def held(police: System, key: str = "key", **changes: Any) -> str:
    """The id of a request of the requester that waits to be released."""
    status, accepted = await police.submit(key, account="requester", **changes)
    assert (status, accepted["state"]) == (201, "awaiting_release"), accepted
    return str(accepted["id"])


async def to_release(police: System, account: str) -> list[str]:
    pending = await police.done("GET", "/pending", account=account)
    return [exchange["id"] for exchange in pending.get("to_release", [])]


async def nothing_left(police: System, fire: System) -> None:
    """Whatever had been sent would have arrived before this."""
    await release_needs(police, 0)
    _, accepted = await police.submit("another")
    await police.reaches(accepted["id"], "stored")
    assert [e["id"] for e in (await fire.done("GET", "/requests"))["items"]] == [accepted["id"]]


def told(notices: Any, id_: str) -> set[tuple[str, str]]:
    return {(n["event"], n["audience"]) for n in notices["items"] if n["exchange"] == id_}


def refused(said: tuple[int, Any], status: int, type_: str) -> Any:
    assert (said[0], said[1].get("type")) == (status, PROBLEM + type_), said
    return said[1]


def test_a_request_leaves_when_somebody_else_has_released_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            await release_needs(police, 1)
            id_ = await held(police)
            assert await held(police) == id_
            exchange = await police.exchange(id_)
            assert [step["status"] for step in exchange["steps"][:3]] == ["done", "waiting", "ahead"]
            assert (exchange["waiting"], exchange["approvals_needed"]) == ([], 1)
            assert await to_release(police, "requester") == []
            assert await to_release(police, "reviewer") == [id_]
            status, released = await police.review(id_, YES, account="reviewer")
            assert (status, released["outcome"], released["state"]) == (200, "released", "queued")
            await police.reaches(id_, "stored")
            await fire.review(id_)
            exchange = await police.reaches(id_, "answered")
            assert exchange["steps"][1]["status"] == "done"
            assert await to_release(police, "reviewer") == []
            status, again = await police.review(id_, YES, account="reviewer")
            assert (status, again["outcome"]) == (200, "released")
            refused(await police.review(id_, NO, account="reviewer"), 409, "outcome-stands")

    run(scenario())


@pytest.mark.law(10)
def test_nobody_releases_the_own_request(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            await release_needs(police, 1)
            _, accepted = await police.submit()
            assert await to_release(police, "admin") == []
            said = await police.review(accepted["id"], YES, account="admin")
            assert refused(said, 403, "not-allowed")["rule"] == "own-request"
            assert (await police.review(accepted["id"], YES, account="requester"))[0] == 403
            agent = {"name": "agent", "mc_service_id": f"sip:agent@{POLICE}", "roles": ["reviewer"]}
            await police.done("POST", "/accounts", agent | {"automatic": True, "password": "a long password"})
            credentials = {"account": "agent", "password": "a long password"}
            token = (await police.done("POST", "/sessions", credentials))["token"]
            said = await police.review(accepted["id"], YES, account=token)
            assert refused(said, 403, "not-allowed")["rule"] == "people"
            assert await to_release(police, token) == []
            assert await police.rows("SELECT 1 FROM review") == []
            await nothing_left(police, fire)

    run(scenario())


@pytest.mark.law(7)
def test_what_is_not_released_is_refused_here_and_the_asker_is_told_why(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            await release_needs(police, 2)
            id_ = await held(police)
            status, said = await police.review(id_, NO, reason="wrong list", account="reviewer")
            assert (status, said["outcome"]) == (200, "refused")
            exchange = await police.exchange(id_, account="requester")
            assert (exchange["state"], exchange["reason"]) == ("refused_here", "wrong list")
            assert exchange["decided_by"] == f"sip:reviewer@{POLICE}"
            assert next(s for s in exchange["steps"] if s["n"] == 2)["status"] == "failed"
            assert told(await police.done("GET", "/notices"), id_) == {
                ("held", "reviewers"),
                ("not-released", "asker"),
                ("not-released", "reviewers"),
            }
            await nothing_left(police, fire)

    run(scenario())


def test_several_must_release_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, _):
            await release_needs(police, 2)
            id_ = await held(police)
            seen = (await police.exchange(id_))["seen"]
            said = await asyncio.gather(
                *(police.review(id_, YES, seen=seen, account=name) for name in ("reviewer", "admin"))
            )
            assert [status for status, _ in said] == [200, 200]
            assert sorted(told["outcome"] for _, told in said) == ["released", "undecided"]
            await police.reaches(id_, "stored")

    run(scenario())


def test_a_request_is_released_or_refused_whole(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, _):
            await release_needs(police, 1)
            id_ = await held(police)
            some = {"approved": True, "users": [f"sip:officer.1@{POLICE}"]}
            refused(await police.review(id_, some, NO, account="reviewer"), 422, "invalid-input")

    run(scenario())


@pytest.mark.law(7)
def test_what_nobody_releases_in_time_is_refused_here(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            await release_needs(police, 1)
            id_ = await held(police)
            police.clock.advance(days=28)
            await police.tick()
            assert told(await police.done("GET", "/notices"), id_) == {
                ("held", "reviewers"),
                ("reminder", "reviewers"),
            }
            police.clock.advance(days=3)
            refused(await police.review(id_, YES, account="reviewer"), 409, "not-now")
            await police.tick()
            exchange = await police.exchange(id_)
            assert (exchange["state"], exchange["reason"]) == (
                "refused_here",
                "the request expired before it was released",
            )
            happened = told(await police.done("GET", "/notices"), id_)
            assert {("expired", "asker"), ("expired", "reviewers")} <= happened
            await nothing_left(police, fire)

    run(scenario())


def test_a_request_that_waits_is_withdrawn_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            await eventually(
                lambda: police.done("GET", f"/partners/{FIRE}"), lambda p: "comparison_due" not in p
            )
            await release_needs(police, 1)
            id_ = await held(police)
            status, withdrawn = await police.withdraw(id_, account="requester")
            assert (status, withdrawn["state"]) == (200, "withdrawn")
            assert ("withdrawn-unsent", "reviewers") in told(await police.done("GET", "/notices"), id_)
            assert (await police.review(id_, YES, seen="1.0", account="reviewer"))[0] == 404
            await nothing_left(police, fire)

    run(scenario())


def test_what_waits_survives_a_restart(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, _):
            await release_needs(police, 1)
            id_ = await held(police)
            await police.restart()
            assert (await police.exchange(id_))["state"] == "awaiting_release"
            await police.review(id_, YES, account="reviewer")
            await police.reaches(id_, "stored")

    run(scenario())


def test_a_lowered_threshold_still_needs_one_release(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, _):
            await release_needs(police, 2)
            id_ = await held(police)
            await release_needs(police, 0)
            assert (await police.exchange(id_))["state"] == "awaiting_release"
            assert (await police.review(id_, YES, account="reviewer"))[1]["outcome"] == "released"
            await police.reaches(id_, "stored")

    run(scenario())
