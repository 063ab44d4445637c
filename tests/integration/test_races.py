"""Races between two MC systems: whatever comes first, both sides end with the same one answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.responses import Response
from uuid_utils import uuid7

from acmx.domain.messages import PROBLEM
from by_hand import ByHand
from systems import FIRE, POLICE, System, eventually, two_systems

ROUNDS = 6
APPROVE, DECLINE = {"approved": True}, {"approved": False}
ENDED = ("answered", "withdrawn")


async def stored(police: System, key: str = "key", **changes: Any) -> str:
    """The id of a request that the fire service has stored."""
    _, accepted = await police.submit(key, **changes)
    await police.reaches(accepted["id"], "stored")
    return str(accepted["id"])


async def outcome(system: System, id_: str) -> str | None:
    found: str | None = (await system.exchange(id_)).get("outcome")
    return found


def is_problem(said: tuple[int, Any], status: int, type_: str) -> Any:
    found, problem = said
    assert (found, problem["type"]) == (status, PROBLEM + type_), problem
    return problem


@pytest.mark.law(7)
def test_decision_and_withdrawal(tmp_path: Path) -> None:
    """The partner's order decides: withdrawn on both sides, or the same outcome on both sides."""

    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            for turns in (0, 500, 1000, 1500, 2000, 2500, 3000, 5000):
                id_ = await stored(police, str(uuid7()))
                seen = (await fire.exchange(id_))["seen"]
                withdrawal = asyncio.create_task(police.withdraw(id_))
                for _ in range(turns):
                    await asyncio.sleep(0)
                review, _ = await fire.review(id_, seen=seen)
                here = await police.reaches(id_, *ENDED)
                there = await fire.reaches(id_, "withdrawn", "delivered")
                decided = here["state"] == "answered"
                assert (await withdrawal)[0] == 200 or decided
                assert (there["state"] == "delivered") is decided
                assert (review == 200) is decided
                assert here.get("outcome") == there.get("outcome") == ("approved" if decided else None)

    asyncio.run(scenario())


@asynccontextmanager
async def fire_by_hand(tmp_path: Path) -> AsyncIterator[tuple[System, ByHand]]:
    """The police, and a partner whose answers the test writes; nobody listens there yet, and the link has failed."""
    async with two_systems(tmp_path, start=False) as (police, fire):
        await police.start()
        await eventually(lambda: police.done("GET", f"/partners/{FIRE}"), lambda p: p.get("last_error"))
        yield police, ByHand.of(fire)


async def reconnect(police: System) -> None:
    """Time passes until the link may try again."""
    police.clock.advance(minutes=1)
    await police.nudge(FIRE)


async def sent(police: System) -> None:
    """Every message has the partner's word."""
    await eventually(lambda: police.counts("outbox"), lambda counts: counts["outbox"] == 0)


@pytest.mark.law(4)
def test_a_withdrawal_after_the_decision_is_too_late_and_the_answer_stands(tmp_path: Path) -> None:
    async def scenario() -> None:
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

    asyncio.run(scenario())


def test_decision_and_expiry(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            for turns in (0, 20, 40, 60, 80, 120, 200):
                id_ = await stored(police, str(uuid7()), expires_at=later(police, minutes=10))
                seen = (await fire.exchange(id_))["seen"]
                review = asyncio.create_task(fire.review(id_, seen=seen))
                for _ in range(turns):
                    await asyncio.sleep(0)
                fire.clock.advance(minutes=10)
                await fire.tick()
                status, _ = await review
                here = await police.reaches(id_, "answered")
                there = await fire.reaches(id_, "delivered")
                assert here["outcome"] == there["outcome"] == ("approved" if status == 200 else "expired")

    asyncio.run(scenario())


@pytest.mark.step(12)
def test_nobody_decides_after_the_expiry_even_before_the_clock_has_struck(tmp_path: Path) -> None:
    async def scenario() -> None:
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

    asyncio.run(scenario())


def later(system: System, **spans: float) -> str:
    start = system.clock.now
    system.clock.advance(**spans)
    moment, system.clock.now = system.clock.now, start
    return moment.isoformat()


@pytest.mark.law(4)
@pytest.mark.step(12)
def test_two_reviewers(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
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

    asyncio.run(scenario())


@pytest.mark.law(4)
@pytest.mark.step(12)
def test_the_same_review_is_a_success_however_often_and_late(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
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

    asyncio.run(scenario())


@pytest.mark.law(4)
@pytest.mark.step(12)
@pytest.mark.parametrize(
    ("verdict", "reason", "account"),
    [(DECLINE, "as agreed", "admin"), (APPROVE, "another", "admin"), (APPROVE, "as agreed", "reviewer")],
)
def test_another_review_gets_the_decision_that_stands(
    verdict: dict[str, bool], reason: str, account: str, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await stored(police)
            await fire.review(id_)
            problem = is_problem(
                await fire.review(id_, verdict, reason=reason, account=account), 409, "outcome-stands"
            )
            assert (problem["outcome"], problem["reason"]) == ("approved", "as agreed")
            assert await outcome(fire, id_) == "approved"

    asyncio.run(scenario())


@pytest.mark.law(4)
@pytest.mark.step(11)
def test_a_review_of_what_has_changed_meanwhile_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
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

    asyncio.run(scenario())


@pytest.mark.law(4)
@pytest.mark.step(5, 13, 14)
def test_a_late_stored_indication_never_moves_an_answer_back(tmp_path: Path) -> None:
    async def scenario() -> None:
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

    asyncio.run(scenario())


def heard_by(partner: ByHand) -> Any:
    async def heard() -> list[Any]:
        return partner.heard

    return heard


@pytest.mark.law(2)
@pytest.mark.step(3)
def test_a_message_without_an_answer_is_sent_again_byte_for_byte_and_signed_anew(tmp_path: Path) -> None:
    async def scenario() -> None:
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

    asyncio.run(scenario())


UNSIGNED = {
    "a proxy's 404": 404,
    "a proxy's 403": 403,
    "an unsigned success": 200,
}


@pytest.mark.law(5)
@pytest.mark.step(3)
@pytest.mark.parametrize("name", UNSIGNED)
def test_only_a_signed_word_counts(name: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with fire_by_hand(tmp_path) as (police, fire):
            unsigned = True

            async def answer(heard: tuple[str, bytes, str]) -> Response:
                if not unsigned:
                    return fire.receipt(heard)
                told = (
                    fire.receipt(heard)
                    if name == "an unsigned success"
                    else fire.refusal(heard, "x", final=True)
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

    asyncio.run(scenario())


@pytest.mark.law(5)
@pytest.mark.step(3)
def test_a_signed_final_refusal_ends_the_exchange_and_a_retryable_one_does_not(tmp_path: Path) -> None:
    async def scenario() -> None:
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

    asyncio.run(scenario())


def test_a_withdrawal_that_overtakes_its_request(tmp_path: Path) -> None:
    async def scenario() -> None:
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

    asyncio.run(scenario())


def test_a_request_and_its_withdrawal_at_the_same_time(tmp_path: Path) -> None:
    async def scenario() -> None:
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

    asyncio.run(scenario())


def test_a_withdrawal_of_what_is_decided_is_told_so(tmp_path: Path) -> None:
    async def scenario() -> None:
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

    asyncio.run(scenario())


@pytest.mark.law(7)
def test_what_was_never_sent_is_withdrawn_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
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

    asyncio.run(scenario())


@pytest.mark.law(7)
def test_what_was_sent_is_withdrawn_when_the_partner_says_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await stored(police)
            await fire.stop()
            status, said = await police.withdraw(id_)
            assert (status, said["state"]) == (200, "withdrawing")
            await fire.start()
            await police.reaches(id_, "withdrawn")
            assert (await fire.exchange(id_))["state"] == "withdrawn"
            is_problem(await fire.review(id_), 409, "outcome-stands")
            is_problem(await police.call("POST", f"/requests/{id_}/retrieval"), 409, "not-now")

    asyncio.run(scenario())


@pytest.mark.law(2, 7)
def test_what_may_have_arrived_is_withdrawn_only_when_the_partner_says_so(tmp_path: Path) -> None:
    """An attempt without an answer: nobody knows whether the partner has it."""

    async def scenario() -> None:
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

    asyncio.run(scenario())


@pytest.mark.law(4)
def test_a_partner_that_contradicts_itself_moves_nothing_back(tmp_path: Path) -> None:
    """It answers, and confirms the withdrawal all the same."""

    async def scenario() -> None:
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

    asyncio.run(scenario())


def test_withdrawals_at_the_same_time_are_one(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await stored(police)
            said = await asyncio.gather(*(police.withdraw(id_) for _ in range(4)))
            assert {status for status, _ in said} == {200}
            await police.reaches(id_, "withdrawn")
            assert len(await fire.rows("SELECT 1 FROM message WHERE type = 'withdrawal'")) == 1

    asyncio.run(scenario())


def test_a_withdrawal_of_an_answer_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await stored(police)
            await fire.review(id_)
            await police.reaches(id_, "answered")
            is_problem(await police.withdraw(id_), 409, "not-now")
            assert (await police.exchange(id_))["state"] == "answered"

    asyncio.run(scenario())


@pytest.mark.step(18)
def test_everyone_who_retrieves_at_the_same_time_gets_the_same_answer(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, fire):
            id_ = await stored(police)
            is_problem(await police.call("POST", f"/requests/{id_}/retrieval"), 409, "not-yet")
            await fire.review(id_)
            await police.reaches(id_, "answered")
            answers = await asyncio.gather(
                *(police.done("POST", f"/requests/{id_}/retrieval") for _ in range(5))
            )
            assert all(answer == answers[0] for answer in answers)
            events = [e["event"] for e in (await police.exchange(id_))["journal"]]
            assert events.count("retrieved") == 1

    asyncio.run(scenario())


@pytest.mark.law(3)
def test_messages_out_of_order_end_as_in_order(tmp_path: Path) -> None:
    """The response before the stored indication, and a second response before and after the first."""

    async def scenario() -> None:
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

    asyncio.run(scenario())
