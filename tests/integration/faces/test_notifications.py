"""Steps 8 and 16: the stream only says «look again», to those whom it concerns, and the list is the truth (law 8)."""

import asyncio
from pathlib import Path

import pytest

from support.sinks.streams import hint, stream
from support.systems.systems import FIRE, Two, two_systems


@pytest.mark.law(8)
@pytest.mark.step(8, 16)
async def test_every_connect_says_look_again(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        for _ in range(2):
            async with stream(police, "requester") as notices:
                assert await notices.block() == hint(police, "requester")
        await police.restart()
        async with stream(police, "requester") as notices:
            assert await notices.block() == hint(police, "requester")


@pytest.mark.law(7, 8)
@pytest.mark.step(8, 16)
async def test_a_pending_request_and_its_answer_are_noticed_without_content_by_those_concerned(
    tmp_path: Path,
) -> None:
    async with (
        two_systems(tmp_path) as (police, fire),
        stream(fire, "reviewer") as reviewer,
        stream(fire, "auditor") as auditor,
        stream(police, "requester") as requester,
        stream(police, "reviewer") as colleague,
    ):
        streams = (reviewer, auditor, requester, colleague)
        for notices in streams:
            assert (await notices.block()).startswith(b"event: look-again\n")
        _, accepted = await police.submit(account="requester")
        assert await reviewer.block() == hint(fire, "reviewer")
        await police.reaches(accepted["id"], "stored")
        pending = await fire.done("GET", "/pending", account="reviewer")
        assert [e["id"] for e in pending["to_decide"]] == [accepted["id"]]
        assert all([await notices.quiet() for notices in (auditor, requester, colleague)])
        await fire.review(accepted["id"])
        assert await requester.block() == hint(police, "requester")
        await police.done("GET", "/pending", account="requester")
        assert await reviewer.block() == hint(fire, "reviewer")
        assert all([await notices.quiet() for notices in (auditor, colleague)])
        assert 8 in done(await fire.exchange(accepted["id"]))
        assert 16 in done(await police.exchange(accepted["id"]))


def done(exchange: dict) -> set[int]:
    return {step["n"] for step in exchange["steps"] if step["status"] == "done"}


@pytest.mark.law(8)
@pytest.mark.step(8)
async def test_a_notice_reaches_only_the_reviewer_to_whom_the_request_is_addressed(tmp_path: Path) -> None:
    async with (
        two_systems(tmp_path) as (police, fire),
        stream(fire, "reviewer") as reviewer,
        stream(fire, "admin") as admin,
    ):
        for notices in (reviewer, admin):
            await notices.block()
        _, accepted = await police.submit(addressee={"mc_service_id": f"sip:admin@{FIRE}"})
        assert await admin.block() == hint(fire, "admin")
        await police.reaches(accepted["id"], "stored")
        assert await reviewer.quiet()


@pytest.mark.law(8)
async def test_hints_that_nobody_has_read_are_one_hint_and_a_lost_one_costs_nothing(systems: Two) -> None:
    police, fire = systems
    ids = [(await police.submit(str(n)))[1]["id"] for n in range(5)]
    for id_ in ids:
        await police.reaches(id_, "stored")
    async with stream(fire, "reviewer") as notices:
        assert await notices.block() == hint(fire, "reviewer")
        assert await notices.quiet()
    pending = await fire.done("GET", "/pending", account="reviewer")
    assert sorted(e["id"] for e in pending["to_decide"]) == sorted(ids)


@pytest.mark.law(10)
async def test_the_stream_of_a_disabled_account_ends_before_it_says_anything_more(tmp_path: Path) -> None:
    async with two_systems(tmp_path) as (police, fire), stream(fire, "reviewer") as notices:
        await notices.block()
        await fire.done("POST", "/accounts/reviewer/disablement")
        await police.submit()
        assert await notices.block() == b""


@pytest.mark.law(10)
async def test_whoever_may_not_read_gets_no_stream(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        assert (await police.call("GET", "/notifications", account=None))[0] == 403
        assert (await police.call("GET", "/notifications", account="nobody"))[0] == 401
        assert (await police.call("POST", "/notifications"))[0] == 405


async def test_open_streams_end_when_the_server_stops_and_do_not_hold_it_up(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        async with stream(police, "requester") as one, stream(police, "reviewer") as other:
            for notices in (one, other):
                await notices.block()
            async with asyncio.timeout(2):
                await police.server.stop()
            for notices in (one, other):
                assert await notices.block() == b""
