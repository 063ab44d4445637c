"""A withdrawal, wherever its exchange stands: both sides end with the same."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from starlette.responses import Response

from support.faults.races import ROUNDS, fire_by_hand, is_problem, reconnect, sent, stored
from support.partner.by_hand import ByHand
from support.systems.systems import FIRE, Two, eventually, two_systems


@pytest.mark.law(4)
async def test_a_withdrawal_after_the_decision_is_too_late_and_the_answer_stands(tmp_path: Path) -> None:
    async with fire_by_hand(tmp_path) as (police, fire):

        async def answer(heard: tuple[str, bytes, str]) -> Response:
            withdrawal = msgspec.json.decode(heard[1])["type"] == "withdrawal"
            return fire.receipt(heard, "decided" if withdrawal else "stored")

        async with fire.serving(police, answer):
            await reconnect(police)
            id_ = await stored(police)
            await police.withdraw(id_)
            await sent(police)
            assert (await police.exchange(id_))["state"] == "withdrawing"
            response = fire.response(police, fire.heard[0][1])
            assert (await fire.put(police, response)).status == 200
        exchange = await police.exchange(id_)
        assert (exchange["state"], exchange["outcome"]) == ("answered", "declined")


async def test_a_withdrawal_that_overtakes_its_request(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police_, fire):
        await fire.start()
        police = ByHand.of(police_)
        request = police.request(fire)
        withdrawal = police.withdrawal(fire, request["exchange"])
        first = await police.put(fire, withdrawal)
        assert first.document["status"] == "withdrawn"
        assert (await fire.exchange(request["exchange"]))["state"] == "withdrawn"
        late = await police.put(fire, request)
        assert (late.typ, late.problem, late.document["final"]) == ("acm-refusal", "withdrawn", True)
        assert (await police.put(fire, request)).body == late.body
        assert (await police.put(fire, withdrawal)).body == first.body
        assert (await fire.done("GET", "/pending"))["to_decide"] == []


async def test_a_request_and_its_withdrawal_at_the_same_time(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police_, fire):
        await fire.start()
        police = ByHand.of(police_)
        for n in range(ROUNDS):
            request = police.request(fire)
            withdrawal = police.withdrawal(fire, request["exchange"])
            messages = [request, withdrawal][:: 1 if n % 2 else -1]
            answers = await asyncio.gather(*(police.put(fire, message) for message in messages))
            said = {a.document["n"]: a for a in answers}
            assert said[2].document["status"] == "withdrawn"
            assert said[1].status == 200 or said[1].problem == "withdrawn"
            assert (await fire.exchange(request["exchange"]))["state"] == "withdrawn"


async def test_a_withdrawal_of_what_is_decided_is_told_so(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police_, fire):
        await fire.start()
        police = ByHand.of(police_)
        request = police.request(fire)
        await police.put(fire, request)
        await fire.review(request["exchange"])
        answer = await police.put(fire, police.withdrawal(fire, request["exchange"]))
        assert answer.document["status"] == "decided"
        exchange = await fire.exchange(request["exchange"])
        assert (exchange["state"], exchange["outcome"]) == ("decided", "approved")


@pytest.mark.law(7)
async def test_what_was_never_sent_is_withdrawn_at_once(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, fire):
        await police.start()
        await eventually(lambda: police.done("GET", f"/partners/{FIRE}"), lambda p: p.get("last_error"))
        _, accepted = await police.submit()
        status, said = await police.withdraw(accepted["id"])
        assert (status, said["state"]) == (200, "withdrawn")
        assert await police.withdraw(accepted["id"]) == (200, said)
        assert await police.counts("outbox") == {"outbox": 0}
        await fire.start()
        _, second = await police.submit("2")
        await police.reaches(second["id"], "stored")
        assert [e["id"] for e in (await fire.done("GET", "/requests"))["items"]] == [second["id"]]


@pytest.mark.law(7)
async def test_what_was_sent_is_withdrawn_when_the_partner_says_so(systems: Two) -> None:
    police, fire = systems
    id_ = await stored(police)
    await fire.stop()
    status, said = await police.withdraw(id_)
    assert (status, said["state"]) == (200, "withdrawing")
    await fire.start()
    await police.reaches(id_, "withdrawn")
    assert (await fire.exchange(id_))["state"] == "withdrawn"
    is_problem(await fire.review(id_), 409, "outcome-stands")
    is_problem(await police.call("POST", f"/requests/{id_}/retrieval"), 409, "not-now")


@pytest.mark.law(2, 7)
async def test_what_may_have_arrived_is_withdrawn_only_when_the_partner_says_so(tmp_path: Path) -> None:
    """An attempt without an answer: nobody knows whether the partner has it."""

    async with fire_by_hand(tmp_path) as (police, fire):

        async def answer(heard: tuple[str, bytes, str]) -> Response:
            if msgspec.json.decode(heard[1])["type"] == "request":
                return Response(status_code=502)
            return fire.receipt(heard, "withdrawn")

        async with fire.serving(police, answer):
            await reconnect(police)
            _, accepted = await police.submit()
            id_ = accepted["id"]
            await eventually(lambda: police.exchange(id_), lambda e: e["waiting"][0].get("last_error"))
            assert (await police.withdraw(id_))[1]["state"] == "withdrawing"
            await reconnect(police)
            await police.reaches(id_, "withdrawn")
        assert [msgspec.json.decode(body)["type"] for _, body, _ in fire.heard] == [
            "request",
            "withdrawal",
        ]


async def test_withdrawals_at_the_same_time_are_one(systems: Two) -> None:
    police, fire = systems
    id_ = await stored(police)
    said = await asyncio.gather(*(police.withdraw(id_) for _ in range(4)))
    assert {status for status, _ in said} == {200}
    await police.reaches(id_, "withdrawn")
    assert len(await fire.rows("SELECT 1 FROM message WHERE type = 'withdrawal'")) == 1


async def test_a_withdrawal_of_an_answer_is_refused(systems: Two) -> None:
    police, fire = systems
    id_ = await stored(police)
    await fire.review(id_)
    await police.reaches(id_, "answered")
    is_problem(await police.withdraw(id_), 409, "not-now")
    assert (await police.exchange(id_))["state"] == "answered"
