"""The terms for a partner: what is exchanged, who may ask it here, and how much is taken from it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from acmx.domain.messages import PROBLEM
from acmx.storage.partnership import terms
from acmx.storage.partnership.terms import Terms
from support.partner.by_hand import Answer, ByHand
from support.systems.systems import FIRE, POLICE, System, Two, eventually, two_systems

USUAL = {
    "kinds": ["server-identity", "server-identity-provision"],
    "max_open": 1_000,
    "max_users": 10_000,
    "max_per_hour": 3_600,
}
APPROVE_ALL = (
    '@id("all") permit (principal, action == Action::"approve", resource == Kind::"server-identity");'
)


async def agree(system: System, other: str, **changes: Any) -> Any:
    return await system.done("PUT", f"/partners/{other}/terms", USUAL | changes)


@asynccontextmanager
async def fire_asked_by_hand(tmp: Path, **limits: Any) -> AsyncIterator[tuple[System, ByHand]]:
    async with two_systems(tmp, start=False) as (police, fire):
        await fire.start()
        await agree(fire, POLICE, **limits)
        yield fire, ByHand.of(police)


def is_limit(answer: Answer, seconds: int) -> None:
    assert (answer.status, answer.problem, answer.typ) == (429, "limit-reached", "acm-refusal")
    assert answer.document["final"] is False
    assert answer.headers["Retry-After"] == str(seconds)


@pytest.mark.law(10)
@pytest.mark.step(2)
@pytest.mark.parametrize(
    ("askers", "account", "may"),
    [
        ([], "requester", True),
        (["requester"], "requester", True),
        ([f"sip:requester@{POLICE.upper()}"], "requester", True),
        (["operator", f"sip:requester@{POLICE}"], "requester", True),
        (["operator"], "requester", False),
        ([f"sip:admin@{POLICE}"], "requester", False),
        ([f"sip:requester.2@{POLICE}"], "requester", False),
        (["requester"], "reviewer", False),
    ],
)
async def test_who_may_ask_a_partner_is_decided_at_home(
    systems: Two, askers: list[str], account: str, may: bool
) -> None:
    police, fire = systems
    await agree(police, FIRE, askers=askers)
    status, answer = await police.submit(account=account)
    if may:
        assert status == 201
        return
    rule = "role:submit" if account == "reviewer" else "partner-askers"
    assert (status, answer["rule"]) == (403, rule)
    assert (await police.exchange(answer["exchange"]))["state"] == "refused_here"
    assert await fire.counts("exchange") == {"exchange": 0}


@pytest.mark.law(10)
@pytest.mark.parametrize("kinds", ["", "group", "server-identity-provision"])
async def test_a_kind_outside_the_terms_is_neither_asked_nor_answered(tmp_path: Path, kinds: str) -> None:
    async with fire_asked_by_hand(tmp_path) as (fire, police):
        await fire.store.write(lambda tx: terms.put(tx, Terms(POLICE, kinds=kinds)))
        answer = await police.put(fire, police.request(fire))
        assert (answer.problem, answer.document["final"]) == ("unsupported-kind", True)
        wanted = {"partner": POLICE, "users": [f"sip:firefighter@{FIRE}"]}
        status, problem = await fire.submit(**wanted)
        assert (status, problem["rule"]) == (403, "partner-kinds")
        await agree(fire, POLICE, kinds=["server-identity"])
        assert (await police.put(fire, police.request(fire))).status == 200
        assert (await fire.submit("another", **wanted))[0] == 201


@pytest.mark.law(5)
@pytest.mark.step(4)
async def test_too_many_users_are_refused_for_good_and_the_asker_is_told(systems: Two) -> None:
    police, fire = systems
    await agree(fire, POLICE, max_users=2)
    users = [f"sip:officer.{n}@{POLICE}" for n in range(3)]
    _, accepted = await police.submit(users=users)
    exchange = await police.reaches(accepted["id"], "refused_by_partner")
    assert exchange["refusal"]["type"] == PROBLEM + "too-many-users"
    assert exchange["refusal"]["detail"] == "2 at most"
    _, accepted = await police.submit("fewer", users=users[:2])
    await police.reaches(accepted["id"], "stored")
    assert await fire.counts("exchange") == {"exchange": 1}


@pytest.mark.law(3)
@pytest.mark.step(4)
async def test_no_more_wait_for_people_than_the_terms_admit(tmp_path: Path) -> None:
    async with fire_asked_by_hand(tmp_path, max_open=2) as (fire, police):
        requests = [police.request(fire) for _ in range(4)]
        for request in requests[:2]:
            assert (await police.put(fire, request)).status == 200
        is_limit(await police.put(fire, requests[2]), 300)
        assert (await police.put(fire, requests[0])).status == 200  # a replay takes nothing
        await fire.call("POST", f"/requests/{requests[0]['exchange']}/questions", {"text": "Who?"})
        is_limit(await police.put(fire, requests[2]), 300)
        await fire.review(requests[0]["exchange"])
        assert (await police.put(fire, requests[2])).status == 200
        is_limit(await police.put(fire, requests[3]), 300)
        await fire.done("PUT", "/policy", {"text": APPROVE_ALL})
        assert (await police.put(fire, requests[3])).status == 200  # nobody has to wait for a person
        assert (await police.put(fire, police.withdrawal(fire, requests[1]["exchange"]))).status == 200


@pytest.mark.law(3)
async def test_an_hour_holds_as_many_requests_as_the_terms_say_and_fills_up_evenly(tmp_path: Path) -> None:
    async with fire_asked_by_hand(tmp_path, max_per_hour=3) as (fire, police):
        many = await asyncio.gather(*(police.put(fire, police.request(fire)) for _ in range(8)))
        assert sorted(answer.status for answer in many) == [200] * 3 + [429] * 5
        for answer in many:
            if answer.status == 429:
                is_limit(answer, 1200)
        assert (await fire.counts("exchange"))["exchange"] == 3
        fire.clock.advance(minutes=15)
        is_limit(await police.put(fire, police.request(fire)), 300)
        fire.clock.advance(minutes=5)
        assert (await police.put(fire, police.request(fire))).status == 200
        is_limit(await police.put(fire, police.request(fire)), 1200)
        fire.clock.advance(days=2)
        for status in (200, 200, 200, 429):
            assert (await police.put(fire, police.request(fire))).status == status
        refusals = [e for e in (await fire.done("GET", "/audit"))["items"] if e["event"] == "refused"]
        assert {e["detail"]["type"] for e in refusals} == {"limit-reached"}


async def test_a_clock_that_was_set_back_locks_nobody_out(tmp_path: Path) -> None:
    async with fire_asked_by_hand(tmp_path, max_per_hour=2) as (fire, police):
        for _ in range(2):
            await police.put(fire, police.request(fire))
        fire.clock.jump(days=-7)
        is_limit(await police.put(fire, police.request(fire)), 1800)


@pytest.mark.law(6)
async def test_what_is_beyond_the_limit_waits_alone_and_comes_in_its_time(systems: Two) -> None:
    police, fire = systems
    await agree(fire, POLICE, max_per_hour=2)
    ids = [(await police.submit(f"{n}"))[1]["id"] for n in range(3)]

    async def states() -> list[str]:
        return sorted([(await police.exchange(id_))["state"] for id_ in ids])

    await eventually(states, lambda found: found == ["queued", "stored", "stored"])

    async def outbox() -> Any:
        return (await police.done("GET", "/outbox"))["items"]

    [waiting] = await eventually(outbox, lambda items: items and items[0].get("last_error"))
    assert waiting["last_error"].startswith("No more requests are taken at the moment.")
    decided = next(id_ for id_ in ids if id_ != waiting["exchange"])
    await fire.review(decided)
    await police.reaches(decided, "answered")

    async def later() -> list[str]:
        police.clock.advance(minutes=15)
        await police.nudge(FIRE)
        return await states()

    await eventually(later, lambda found: "queued" not in found)


async def test_terms_are_replaced_whole_and_the_journal_has_both(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        assert (await police.done("GET", f"/partners/{FIRE}"))["terms"] == USUAL
        first = await agree(police, FIRE, max_users=50, note="agreement 17", askers=["requester"])
        assert first["terms"]["max_users"] == 50
        second = await agree(police, FIRE, max_open=5)
        assert second["terms"] == USUAL | {"max_open": 5}
        entry = (await police.done("GET", "/audit?limit=1"))["items"][0]
        assert (entry["event"], entry["actor"]) == ("partner-terms", f"sip:admin@{POLICE}")
        assert entry["detail"]["old"]["note"] == "agreement 17"
        assert entry["detail"]["new"]["max_open"] == 5
        status, problem = await police.call("PUT", f"/partners/{FIRE}/terms", USUAL, account="requester")
        assert (status, problem["rule"]) == (403, "role:partners")
        assert (await police.call("PUT", "/partners/mc.nobody.example/terms", USUAL))[0] == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"kinds": ["telepathy"]},
        {"askers": ["sip:nobody"]},
        {"askers": ["commander"]},
        {"askers": ["requester sip:a@b.example"]},
        {"note": "two\nlines"},
        {"max_open": 0},
        {"max_users": 10_001},
        {"max_per_hour": 0},
        {"max_per_day": 5},
    ],
    ids=str,
)
async def test_terms_that_mean_nothing_are_refused_and_the_old_ones_stay(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        status, problem = await police.call("PUT", f"/partners/{FIRE}/terms", USUAL | changes)
        assert (status, problem["type"]) == (422, PROBLEM + "invalid-input")
        assert (await police.done("GET", f"/partners/{FIRE}"))["terms"] == USUAL
