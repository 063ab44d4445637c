"""Both pauses of the procedure may be days: restarts change nothing in between, and time decides what nobody did."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from support.partner.by_hand import ByHand
from support.systems import engines
from support.systems.systems import FIRE, PASSWORD, POLICE, System, Two, two_systems

BOTH, A_ONLY, B_ONLY = "both", "the primary", "the partner"


async def restart(which: str, police: System, fire: System) -> None:
    systems = {BOTH: (police, fire), A_ONLY: (police,), B_ONLY: (fire,)}[which]
    for system in systems:
        await system.stop()
    police.clock.advance(days=5)
    for system in systems:
        await system.start()


async def requested(police: System, key: str = "key", **changes: Any) -> str:
    _, accepted = await police.submit(key, account="requester", **changes)
    return str(accepted["id"])


async def views(id_: str, *systems: System) -> list[Any]:
    return [await system.exchange(id_) for system in systems]


async def finish(id_: str, police: System) -> None:
    await police.reaches(id_, "answered")
    answer = await police.done("POST", f"/requests/{id_}/retrieval", account="requester")
    assert answer["outcome"] == "approved"


@pytest.mark.law(1)
@pytest.mark.step(4, 5)
@pytest.mark.parametrize("which", [BOTH, A_ONLY, B_ONLY])
async def test_a_restart_after_the_request_is_stored_changes_nothing(which: str, systems: Two) -> None:
    police, fire = systems
    id_ = await requested(police)
    await police.reaches(id_, "stored")
    before = await views(id_, police, fire)
    await restart(which, police, fire)
    assert await views(id_, police, fire) == before
    assert (await fire.review(id_))[0] == 200
    await finish(id_, police)


@pytest.mark.law(1)
@pytest.mark.step(12, 13)
async def test_a_decision_waits_through_restarts_until_the_primary_is_back(systems: Two) -> None:
    police, fire = systems
    id_ = await requested(police)
    await police.reaches(id_, "stored")
    await police.stop()
    await fire.review(id_)
    minted = await fire.rows("SELECT body, digest FROM message WHERE type = 'response'")
    for _ in range(2):
        await restart(B_ONLY, police, fire)
        exchange = await fire.exchange(id_)
        assert (exchange["state"], exchange["outcome"]) == ("decided", "approved")
        assert [m["type"] for m in exchange["waiting"]] == ["response"]
    await police.start()
    await fire.reaches(id_, "delivered")
    assert await police.rows("SELECT body, digest FROM message WHERE type = 'response'") == minted
    await finish(id_, police)


@pytest.mark.law(1)
@pytest.mark.step(14)
@pytest.mark.parametrize("which", [BOTH, A_ONLY, B_ONLY])
async def test_a_restart_after_the_answer_is_stored_changes_nothing(which: str, systems: Two) -> None:
    police, fire = systems
    id_ = await requested(police)
    await police.reaches(id_, "stored")
    await fire.review(id_)
    await fire.reaches(id_, "delivered")
    before = await views(id_, police, fire)
    await restart(which, police, fire)
    assert await views(id_, police, fire) == before
    await finish(id_, police)


@pytest.mark.law(1)
@pytest.mark.step(1, 3)
async def test_a_request_waits_through_restarts_until_the_partner_is_there(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, fire):
        await police.start()
        id_ = await requested(police)
        minted = await police.rows("SELECT body FROM message")
        await restart(A_ONLY, police, fire)
        assert (await police.exchange(id_))["state"] == "queued"
        await fire.start()
        await police.reaches(id_, "stored")
        assert await fire.rows("SELECT body FROM message") == minted


@pytest.mark.step(7, 9, 10, 15, 17)
def test_the_lists_wait_for_people_who_log_on_days_later(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await requested(police)
            await police.reaches(id_, "stored")
            fire.clock.advance(days=9)
            token = await log_on(fire, "reviewer")
            pending = await fire.done("GET", "/pending", account=token)
            assert [e["id"] for e in pending["to_decide"]] == [id_]
            await fire.review(id_)
            assert {7, 9, 10} <= done(await fire.exchange(id_))
            await police.reaches(id_, "answered")
            police.clock.advance(days=9)
            token = await log_on(police, "requester")
            pending = await police.done("GET", "/pending", account=token)
            assert [e["id"] for e in pending["to_fetch"]] == [id_]
            exchange = await police.exchange(id_)
            assert {15, 17} <= done(exchange)
            assert at(exchange, 15) == "2026-12-11T08:00:00Z"

    def at(exchange: Any, n: int) -> str:
        return str(exchange["steps"][n - 1]["at"])

    asyncio.run(scenario())


async def log_on(system: System, account: str) -> str:
    session = await system.done("POST", "/sessions", {"account": account, "password": PASSWORD})
    return str(session["token"])


def done(exchange: Any) -> set[int]:
    return {step["n"] for step in exchange["steps"] if step["status"] == "done"}


@pytest.mark.law(7)
@pytest.mark.step(13, 14)
async def test_what_nobody_decides_in_time_expires_at_the_partner_and_is_announced(systems: Two) -> None:
    police, fire = systems
    id_ = await requested(police)
    await police.reaches(id_, "stored")
    fire.clock.advance(days=30, seconds=-1)
    await fire.tick()
    assert (await fire.exchange(id_))["state"] == "pending"
    fire.clock.advance(seconds=1)
    await fire.tick()
    here, there = await police.reaches(id_, "answered"), await fire.reaches(id_, "delivered")
    assert here["outcome"] == there["outcome"] == "expired"
    assert here.get("grant") is there.get("grant") is None
    assert (await fire.review(id_))[0] == 409
    answer = await police.done("POST", f"/requests/{id_}/retrieval", account="requester")
    assert (answer["outcome"], answer["automatic"], answer.get("content")) == ("expired", True, None)
    told = await police.rows("SELECT event, person FROM notice")
    assert ("response", f"sip:requester@{POLICE}") in told
    assert ("expired", None) in await fire.rows("SELECT event, person FROM notice")


@pytest.mark.law(7)
@pytest.mark.step(13, 14)
async def test_an_overdue_request_is_still_answered_by_what_the_partner_decided(systems: Two) -> None:
    police, fire = systems
    id_ = await requested(police)
    await police.reaches(id_, "stored")
    seen = (await fire.exchange(id_))["seen"]
    await police.stop()
    assert (await fire.review(id_, seen=seen))[0] == 200
    await fire.stop()
    police.clock.advance(days=40)
    await police.start()
    await police.tick()
    assert (await police.exchange(id_))["state"] == "overdue"
    assert (await police.call("POST", f"/requests/{id_}/retrieval", account="requester"))[0] == 409
    await fire.start()
    await finish(id_, police)


@pytest.mark.step(3, 4, 6)
async def test_a_request_that_arrives_after_its_expiry_is_stored_and_expired_at_once(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, fire):
        await police.start()
        id_ = await requested(police)
        police.clock.advance(days=31)
        await police.tick()
        assert (await police.exchange(id_))["state"] == "overdue"
        await fire.start()
        here, there = await police.reaches(id_, "answered"), await fire.reaches(id_, "delivered")
        assert here["outcome"] == there["outcome"] == "expired"


@pytest.mark.law(11)
@pytest.mark.step(4, 6)
def test_an_expired_request_and_its_response_are_stored_in_one_transaction(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (police_, fire):
            await fire.start()
            commits: list[dict[str, int]] = []
            fire.store.on_commit(lambda _: commits.append(engines.look(fire, stored)))
            police = ByHand.of(police_)
            fire.clock.advance(days=31)
            await police.put(fire, police.request(fire))
            assert {"exchange": 1, "decided": 1, "message": 2, "outbox": 1} in commits
            assert all(seen["exchange"] == seen["decided"] for seen in commits)

    def stored(tx: Any) -> dict[str, int]:
        decided = "SELECT COUNT(*) FROM exchange WHERE state = 'decided'"
        counted = {t: f"SELECT COUNT(*) FROM {t}" for t in ("exchange", "message", "outbox")}
        return {name: tx.row(sql)[0] for name, sql in (counted | {"decided": decided}).items()}

    asyncio.run(scenario())


VALID_UNTIL = "2026-12-01T08:00:00Z"


@pytest.mark.law(7)
@pytest.mark.parametrize(
    "late", [lambda s: s.restart(), lambda s: s.tick()], ids=["after a restart", "at once"]
)
async def test_a_grant_ends_on_both_sides_when_its_time_is_over(
    late: Callable[[System], Awaitable[None]], systems: Two
) -> None:
    police, fire = systems
    id_ = await requested(police, valid_until=VALID_UNTIL)
    await police.reaches(id_, "stored")
    await fire.review(id_)
    await finish(id_, police)
    await fire.reaches(id_, "delivered")
    for system, state in ((police, "retrieved"), (fire, "delivered")):
        await system.tick()
        assert (await system.exchange(id_))["grant"] == "live"
        assert (await system.exchange(id_))["valid_until"] == VALID_UNTIL
        assert (await system.exchange(id_))["state"] == state
    police.clock.advance(days=8)
    for system, state in ((police, "retrieved"), (fire, "delivered")):
        await late(system)
        await system.tick()
        exchange = await system.exchange(id_)
        assert (exchange["grant"], exchange["state"]) == ("ended", state)


async def test_the_sender_gives_up_90_days_after_the_end_and_not_before(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, fire):
        await police.start()
        early, late = (
            await requested(police),
            await requested(police, "2", expires_at="2026-12-24T08:00:00Z"),
        )
        police.clock.advance(days=30 + 90)
        await police.tick()
        await fire.start()
        await police.reaches(late, "answered")
        assert (await police.exchange(early))["state"] == "overdue"
        assert await fire.counts("exchange") == {"exchange": 1}
        assert [e["partner"] for e in (await police.done("GET", "/requests"))["items"]] == [FIRE, FIRE]
