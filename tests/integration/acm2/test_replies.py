"""What the partner replies: late, not at all, unsigned, out of order, or against its own word."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.responses import Response

from acmx.domain.messages import PROBLEM
from support.faults.races import fire_by_hand, reconnect, sent, stored
from support.partner.by_hand import ByHand
from support.systems.systems import FIRE, POLICE, eventually


@pytest.mark.law(4)
@pytest.mark.step(5, 13, 14)
async def test_a_late_stored_indication_never_moves_an_answer_back(tmp_path: Path) -> None:
    async with fire_by_hand(tmp_path) as (police, fire):
        answered = asyncio.Event()

        async def answer(heard: tuple[str, bytes, str]) -> Response:
            await answered.wait()
            return fire.receipt(heard)

        async with fire.serving(police, answer):
            await reconnect(police)
            _, accepted = await police.submit()
            id_ = accepted["id"]
            await eventually(heard_by(fire), lambda heard: len(heard) == 1)
            response = fire.response(police, fire.heard[0][1])
            assert (await fire.put(police, response)).status == 200
            assert (await police.exchange(id_))["state"] == "answered"
            answered.set()
            await sent(police)
            exchange = await police.exchange(id_)
        assert (exchange["state"], exchange["outcome"]) == ("answered", "declined")
        assert [e["event"] for e in exchange["journal"]] == ["submitted", "response", "stored-indication"]


def heard_by(partner: ByHand) -> Any:
    async def heard() -> list[Any]:
        return partner.heard

    return heard


@pytest.mark.law(2)
@pytest.mark.step(3)
async def test_a_message_without_an_answer_is_sent_again_byte_for_byte_and_signed_anew(
    tmp_path: Path,
) -> None:
    async with fire_by_hand(tmp_path) as (police, fire):

        async def answer(heard: tuple[str, bytes, str]) -> Response:
            if len(fire.heard) == 1:
                return Response(status_code=502)
            return fire.receipt(heard)

        async with fire.serving(police, answer):
            await reconnect(police)
            _, accepted = await police.submit()
            await eventually(heard_by(fire), lambda heard: len(heard) == 1)
            await eventually(
                lambda: police.exchange(accepted["id"]), lambda e: e["waiting"][0].get("last_error")
            )
            await reconnect(police)
            await police.reaches(accepted["id"], "stored")
        (first, body, seal), (again, same, other_seal) = fire.heard
        assert (first, body) == (again, same)
        assert seal != other_seal


UNSIGNED = {
    "a proxy's 404": 404,
    "a proxy's 403": 403,
    "an unsigned success": 200,
}


@pytest.mark.law(5)
@pytest.mark.step(3)
@pytest.mark.parametrize("name", UNSIGNED)
async def test_only_a_signed_word_counts(name: str, tmp_path: Path) -> None:
    async with fire_by_hand(tmp_path) as (police, fire):
        unsigned = True

        async def answer(heard: tuple[str, bytes, str]) -> Response:
            if not unsigned:
                return fire.receipt(heard)
            told = (
                fire.receipt(heard) if name == "an unsigned success" else fire.refusal(heard, "x", final=True)
            )
            return Response(told.body, UNSIGNED[name])

        async with fire.serving(police, answer):
            await reconnect(police)
            _, accepted = await police.submit()
            exchange = await eventually(
                lambda: police.exchange(accepted["id"]), lambda e: e["waiting"][0].get("last_error")
            )
            assert exchange["state"] == "queued"
            assert f"unsigned answer: HTTP {UNSIGNED[name]}" in exchange["waiting"][0]["last_error"]
            unsigned = False
            await reconnect(police)
            await police.reaches(accepted["id"], "stored")


@pytest.mark.law(5)
@pytest.mark.step(3)
async def test_a_signed_final_refusal_ends_the_exchange_and_a_retryable_one_does_not(tmp_path: Path) -> None:
    async with fire_by_hand(tmp_path) as (police, fire):

        async def answer(heard: tuple[str, bytes, str]) -> Response:
            final = len(fire.heard) > 1
            return fire.refusal(heard, "foreign-user" if final else "out-of-order", final=final)

        async with fire.serving(police, answer):
            await reconnect(police)
            _, accepted = await police.submit()
            await eventually(
                lambda: police.exchange(accepted["id"]), lambda e: e["waiting"][0].get("last_error")
            )
            assert (await police.exchange(accepted["id"]))["state"] == "queued"
            await reconnect(police)
            exchange = await police.reaches(accepted["id"], "refused_by_partner")
        assert exchange["refusal"]["type"] == PROBLEM + "foreign-user"
        assert exchange["waiting"] == []


@pytest.mark.law(4)
async def test_a_partner_that_contradicts_itself_moves_nothing_back(tmp_path: Path) -> None:
    """It answers, and confirms the withdrawal all the same."""

    async with fire_by_hand(tmp_path) as (police, fire):
        answered = asyncio.Event()

        async def answer(heard: tuple[str, bytes, str]) -> Response:
            if msgspec.json.decode(heard[1])["type"] == "request":
                return fire.receipt(heard)
            await answered.wait()
            return fire.receipt(heard, "withdrawn")

        async with fire.serving(police, answer):
            await reconnect(police)
            id_ = await stored(police)
            await police.withdraw(id_)
            assert (await fire.put(police, fire.response(police, fire.heard[0][1]))).status == 200
            answered.set()
            await sent(police)
            assert (await police.exchange(id_))["state"] == "answered"


@pytest.mark.law(3)
async def test_messages_out_of_order_end_as_in_order(tmp_path: Path) -> None:
    """The response before the stored indication, and a second response before and after the first."""

    async with fire_by_hand(tmp_path) as (police, fire):
        _, accepted = await police.submit()
        request = (await police.rows("SELECT body FROM message"))[0][0]
        responses = [fire.response(police, request, n=n, reason=f"number {n}") for n in (1, 2)]
        assert (await fire.put(police, responses[1])).problem == "out-of-order"
        assert (await fire.put(police, responses[0])).status == 200
        assert (await fire.put(police, responses[1])).problem == "contradiction"
        exchange = await police.exchange(accepted["id"])
        assert (exchange["state"], exchange["reason"]) == ("answered", "number 1")
        assert exchange["partner"] == FIRE
        assert exchange["primary"] == POLICE
