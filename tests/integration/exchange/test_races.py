"""Races between two MC systems: whatever comes first, both sides end with the same one answer."""

import asyncio
from pathlib import Path

import pytest
from uuid_utils import uuid7

from support.faults.races import ROUNDS, is_problem, stored
from support.partner.by_hand import ByHand
from support.systems.systems import FIRE, System, Two, turns, two_systems

APPROVE, DECLINE = {"approved": True}, {"approved": False}
ENDED = ("answered", "withdrawn")


async def outcome(system: System, id_: str) -> str | None:
    found: str | None = (await system.exchange(id_)).get("outcome")
    return found


@pytest.mark.law(7)
async def test_decision_and_withdrawal(systems: Two) -> None:
    """The partner's order decides: withdrawn on both sides, or the same outcome on both sides."""

    police, fire = systems
    for number in (0, 500, 1000, 1500, 2000, 2500, 3000, 5000):
        id_ = await stored(police, str(uuid7()))
        seen = (await fire.exchange(id_))["seen"]
        withdrawal = asyncio.create_task(police.withdraw(id_))
        await turns(number)
        review, _ = await fire.review(id_, seen=seen)
        here = await police.reaches(id_, *ENDED)
        there = await fire.reaches(id_, "withdrawn", "delivered")
        decided = here["state"] == "answered"
        assert (await withdrawal)[0] == 200 or decided
        assert (there["state"] == "delivered") is decided
        assert (review == 200) is decided
        assert here.get("outcome") == there.get("outcome") == ("approved" if decided else None)


async def test_decision_and_expiry(systems: Two) -> None:
    police, fire = systems
    for number in (0, 20, 40, 60, 80, 120, 200):
        id_ = await stored(police, str(uuid7()), expires_at=later(police, minutes=10))
        seen = (await fire.exchange(id_))["seen"]
        review = asyncio.create_task(fire.review(id_, seen=seen))
        await turns(number)
        fire.clock.advance(minutes=10)
        await fire.tick()
        status, _ = await review
        here = await police.reaches(id_, "answered")
        there = await fire.reaches(id_, "delivered")
        assert here["outcome"] == there["outcome"] == ("approved" if status == 200 else "expired")


@pytest.mark.step(12)
async def test_nobody_decides_after_the_expiry_even_before_the_clock_has_struck(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police_, fire):
        await fire.start()
        police = ByHand.of(police_)
        request = police.request(fire, expires_at="2026-11-23T08:10:00Z")
        await police.put(fire, request)
        seen = (await fire.exchange(request["exchange"]))["seen"]
        fire.clock.advance(minutes=10)
        status, _ = await fire.review(request["exchange"], seen=seen)
        assert status == 409
        await fire.tick()
        assert (await fire.exchange(request["exchange"]))["outcome"] == "expired"


def later(system: System, **spans: float) -> str:
    start = system.clock.now
    system.clock.advance(**spans)
    moment, system.clock.now = system.clock.now, start
    return moment.isoformat()


@pytest.mark.law(4)
@pytest.mark.step(12)
async def test_two_reviewers(systems: Two) -> None:
    police, fire = systems
    for n in range(ROUNDS):
        id_ = await stored(police, str(n))
        seen = (await fire.exchange(id_))["seen"]
        yes, no = await asyncio.gather(
            fire.review(id_, APPROVE, seen=seen, account="admin"),
            fire.review(id_, DECLINE, seen=seen, account="reviewer"),
        )
        lost = no if yes[0] == 200 else yes
        won = "approved" if yes[0] == 200 else "declined"
        problem = is_problem(lost, 409, "outcome-stands")
        name = "admin" if won == "approved" else "reviewer"
        assert (problem["outcome"], problem["decided_by"]) == (won, f"sip:{name}@{FIRE}")
        await police.reaches(id_, "answered")
        assert await outcome(police, id_) == await outcome(fire, id_) == won


@pytest.mark.law(4)
@pytest.mark.step(12)
async def test_the_same_review_is_a_success_however_often_and_late(systems: Two) -> None:
    police, fire = systems
    id_ = await stored(police)
    seen = (await fire.exchange(id_))["seen"]
    said = await asyncio.gather(*(fire.review(id_, seen=seen) for _ in range(5)))
    await police.reaches(id_, "answered")
    said += [await fire.review(id_, seen=seen)]
    assert {status for status, _ in said} == {200}
    assert {reviewed["outcome"] for _, reviewed in said} == {"approved"}
    assert len(await fire.rows("SELECT 1 FROM message WHERE type = 'response'")) == 1
    events = [e["event"] for e in (await fire.exchange(id_))["journal"]]
    assert events.count("reviewed") == 1


@pytest.mark.law(4)
@pytest.mark.step(12)
@pytest.mark.parametrize(
    ("verdict", "reason", "account"),
    [(DECLINE, "as agreed", "admin"), (APPROVE, "another", "admin"), (APPROVE, "as agreed", "reviewer")],
)
async def test_another_review_gets_the_decision_that_stands(
    verdict: dict[str, bool], reason: str, account: str, systems: Two
) -> None:
    police, fire = systems
    id_ = await stored(police)
    await fire.review(id_)
    problem = is_problem(
        await fire.review(id_, verdict, reason=reason, account=account), 409, "outcome-stands"
    )
    assert (problem["outcome"], problem["reason"]) == ("approved", "as agreed")
    assert await outcome(fire, id_) == "approved"


@pytest.mark.law(4)
@pytest.mark.step(11)
async def test_a_review_of_what_has_changed_meanwhile_is_refused(systems: Two) -> None:
    police, fire = systems
    id_ = await stored(police)
    seen = (await fire.exchange(id_))["seen"]
    current = (await fire.done("GET", "/server-identities"))["server_identity"]
    changed = current | {"cms": "https://new-cms.mc.county-fire.example"}
    await fire.done("PUT", "/server-identities", {"server_identity": changed})
    problem = is_problem(await fire.review(id_, seen=seen), 412, "versions-differ")
    assert problem["seen"] == (await fire.exchange(id_))["seen"] != seen
    assert (await fire.review(id_, seen=problem["seen"]))[0] == 200
    await police.reaches(id_, "answered")
    answer = await police.done("POST", f"/requests/{id_}/retrieval")
    assert (answer["content"]["catalogue"], answer["content"]["server_identity"]["cms"]) == (
        2,
        changed["cms"],
    )


@pytest.mark.step(18)
async def test_everyone_who_retrieves_at_the_same_time_gets_the_same_answer(systems: Two) -> None:
    police, fire = systems
    id_ = await stored(police)
    is_problem(await police.call("POST", f"/requests/{id_}/retrieval"), 409, "not-yet")
    await fire.review(id_)
    await police.reaches(id_, "answered")
    answers = await asyncio.gather(*(police.done("POST", f"/requests/{id_}/retrieval") for _ in range(5)))
    assert all(answer == answers[0] for answer in answers)
    events = [e["event"] for e in (await police.exchange(id_))["journal"]]
    assert events.count("retrieved") == 1
