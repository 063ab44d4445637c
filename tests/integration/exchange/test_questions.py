"""The partner asks back and the primary answers, whatever comes first: nothing said is lost, nothing moves back."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acmx.domain.errors import Contradiction, FaultyInput, NotNow
from acmx.domain.exchange import State
from acmx.domain.messages import PROBLEM, Refusal
from acmx.flows.queries.show import show
from support.partner.by_hand import ByHand
from support.partner.sides import Held, Letter, Side, caller, meaning
from support.systems.systems import FIRE, POLICE, Clock, Two, eventually, two_systems

Scenario = Callable[[Side, Side, Clock], Coroutine[Any, Any, None]]


def by_letter(tmp_path: Path, scenario: Scenario) -> None:
    """The scenario with two sides and no wire between them."""

    async def run() -> None:
        async with two_systems(tmp_path, start=False) as systems:
            clock = Clock()
            sides = [
                Side(mine, theirs, clock) for mine, theirs in zip(systems, reversed(systems), strict=True)
            ]
            try:
                await scenario(sides[0], sides[1], clock)
            finally:
                for side in sides:
                    await side.store.close()

    asyncio.run(run())


async def carry(sender: Side, receiver: Side) -> None:
    """Whatever waits is delivered and its reply heard."""
    while letters := await sender.post(await sender.look()):
        for letter in letters:
            await sender.hear(await receiver.take(letter))


async def letter_of(sender: Side) -> Letter:
    """The one message that waits, on its way."""
    [letter] = await sender.post(await sender.look())
    return letter


async def asked(police: Side, fire: Side) -> str:
    """The id of a request that the fire service has a question about, which has not arrived yet."""
    id_ = (await police.submit("key")).id
    await carry(police, fire)
    assert (await fire.ask(id_, "which boats?")).state == State.MORE_INFORMATION
    return id_


async def states(police: Side, fire: Side, id_: str) -> tuple[State, State]:
    here, there = await police.exchange(id_), await fire.exchange(id_)
    assert here is not None
    assert there is not None
    return here.state, there.state


def types(held: Held, id_: str) -> list[str]:
    return [message.type for message in held.messages[id_]]


async def test_a_question_its_answer_and_the_decision(systems: Two) -> None:
    police, fire = systems
    _, accepted = await police.submit()
    id_ = accepted["id"]
    await police.reaches(id_, "stored")
    seen = (await fire.exchange(id_))["seen"]
    path = f"/requests/{id_}"
    question, answer = {"text": "which boats?"}, {"question": 1, "text": "two"}
    assert (await fire.done("POST", f"{path}/questions", question))["state"] == "more_information"
    assert (await fire.done("POST", f"{path}/questions", question))["state"] == "more_information"
    await police.reaches(id_, "more_information")
    assert [e["id"] for e in (await police.done("GET", "/pending"))["to_answer"]] == [id_]
    assert [e["id"] for e in (await fire.done("GET", "/pending"))["to_decide"]] == [id_]
    assert (await police.done("POST", f"{path}/answers", answer))["state"] == "stored"
    assert (await police.done("POST", f"{path}/answers", answer))["state"] == "stored"
    await fire.reaches(id_, "pending")
    assert (await police.done("GET", "/pending"))["to_answer"] == []
    for system in (police, fire):
        said = (await system.exchange(id_))["conversation"]
        assert [(r["type"], r["person"], r["text"]) for r in said] == [
            ("question", f"sip:admin@{FIRE}", "which boats?"),
            ("answer", f"sip:admin@{POLICE}", "two"),
        ]
        assert [r["question"] for r in said] == [1, 1]
    status, problem = await fire.review(id_, seen=seen)
    assert (status, problem["type"]) == (412, PROBLEM + "versions-differ")
    assert (await fire.review(id_))[0] == 200
    await police.reaches(id_, "answered")
    status, problem = await fire.call("POST", f"{path}/questions", {"text": "and now?"})
    assert (status, problem["type"]) == (409, PROBLEM + "not-now")
    told = "SELECT audience, person FROM notice WHERE event = '{}'"
    assert await police.rows(told.format("question")) == [("asker", f"sip:admin@{POLICE}")]
    assert await fire.rows(told.format("answer")) == [("reviewers", None)]


async def test_only_the_asker_answers_and_only_who_may_decide_asks(systems: Two) -> None:
    police, fire = systems
    _, accepted = await police.submit(account="requester")
    path, text = f"/requests/{accepted['id']}", {"text": "two boats"}
    answer = {"question": 1, **text}
    await police.reaches(accepted["id"], "stored")
    status, problem = await police.call("POST", f"{path}/answers", answer, account="requester")
    assert (status, problem["type"]) == (409, PROBLEM + "not-now")
    status, problem = await fire.call("POST", f"{path}/questions", text, account="auditor")
    assert (status, problem["rule"]) == (403, "role:review")
    await fire.done("POST", f"{path}/questions", text)
    await police.reaches(accepted["id"], "more_information")
    status, problem = await police.call("POST", f"{path}/answers", answer)
    assert (status, problem["rule"]) == (403, "own-requests")
    status, problem = await police.call("POST", f"{path}/questions", text)
    assert (status, problem["type"]) == (409, PROBLEM + "not-now")
    await police.done("POST", f"{path}/answers", answer, account="requester")
    await fire.reaches(accepted["id"], "pending")


def test_a_question_overtakes_the_stored_indication(tmp_path: Path) -> None:
    async def scenario(police: Side, fire: Side, _: Clock) -> None:
        id_ = (await police.submit("key")).id
        word = await fire.take(await letter_of(police))
        await fire.ask(id_, "which boats?")
        await carry(fire, police)
        assert (await states(police, fire, id_))[0] is State.MORE_INFORMATION
        await police.answer(id_, "two")
        await police.hear(word)
        assert await states(police, fire, id_) == (State.STORED, State.MORE_INFORMATION)
        await carry(police, fire)
        assert await states(police, fire, id_) == (State.STORED, State.PENDING)

    by_letter(tmp_path, scenario)


@pytest.mark.law(4)
def test_a_question_and_the_decision_arrive_in_order_though_the_decision_overtakes_the_answer(
    tmp_path: Path,
) -> None:
    async def scenario(police: Side, fire: Side, _: Clock) -> None:
        id_ = await asked(police, fire)
        await fire.review(id_)
        question = await letter_of(fire)
        await fire.hear(await police.take(question))
        await police.answer(id_, "two")
        answer = await letter_of(police)
        await carry(fire, police)
        assert await states(police, fire, id_) == (State.ANSWERED, State.DELIVERED)
        await police.hear(await fire.take(answer))
        await police.take(question)
        assert await states(police, fire, id_) == (State.ANSWERED, State.DELIVERED)
        for side in (police, fire):
            assert sorted(types(await side.held(), id_)) == ["answer", "question", "request", "response"]
            assert (await side.held()).outbox == []
        with pytest.raises(NotNow):
            await fire.ask(id_, "and how many?")

    by_letter(tmp_path, scenario)


@pytest.mark.law(4, 7)
def test_an_answer_crosses_the_withdrawal(tmp_path: Path) -> None:
    """The answer that waits is not sent any more; the one under way is kept, however late."""

    async def scenario(police: Side, fire: Side, _: Clock) -> None:
        id_ = await asked(police, fire)
        await carry(fire, police)
        await police.answer(id_, "two")
        answer = await letter_of(police)
        await police.withdraw(id_)
        assert [queued.type for queued in (await police.held()).outbox] == ["withdrawal"]
        await carry(police, fire)
        assert await states(police, fire, id_) == (State.WITHDRAWN, State.WITHDRAWN)
        await police.hear(await fire.take(answer))
        assert await states(police, fire, id_) == (State.WITHDRAWN, State.WITHDRAWN)
        assert sorted(types(await fire.held(), id_)) == ["answer", "question", "request", "withdrawal"]

    by_letter(tmp_path, scenario)


def test_a_question_crosses_the_withdrawal(tmp_path: Path) -> None:
    async def scenario(police: Side, fire: Side, _: Clock) -> None:
        id_ = await asked(police, fire)
        await police.withdraw(id_)
        await carry(fire, police)
        assert await states(police, fire, id_) == (State.WITHDRAWING, State.MORE_INFORMATION)
        with pytest.raises(NotNow):
            await police.answer(id_, "two")
        await carry(police, fire)
        assert await states(police, fire, id_) == (State.WITHDRAWN, State.WITHDRAWN)
        assert (await fire.held()).outbox == []

    by_letter(tmp_path, scenario)


def test_an_answer_to_an_earlier_question_does_not_end_the_waiting(tmp_path: Path) -> None:
    async def scenario(police: Side, fire: Side, _: Clock) -> None:
        id_ = await asked(police, fire)
        await carry(fire, police)
        await fire.ask(id_, "how many?", by="second")
        await police.answer(id_, "two of the river brigade")
        await carry(police, fire)
        assert await states(police, fire, id_) == (State.STORED, State.MORE_INFORMATION)
        await carry(fire, police)
        assert await states(police, fire, id_) == (State.MORE_INFORMATION, State.MORE_INFORMATION)
        await police.answer(id_, "two, as I said")
        await carry(police, fire)
        assert await states(police, fire, id_) == (State.STORED, State.PENDING)

    by_letter(tmp_path, scenario)


async def said(side: Side, id_: str) -> list[tuple[str, int | None, str]]:
    """As its own people are shown it."""
    shown = await side.store.read(lambda tx: show(tx, caller(side.id, "admin"), id_))
    return [(remark.type, remark.question, remark.text) for remark in shown.conversation]


@pytest.mark.law(4)
def test_an_answer_that_crosses_a_second_question_stands_at_its_own_at_both_sides(tmp_path: Path) -> None:
    async def scenario(police: Side, fire: Side, _: Clock) -> None:
        id_ = await asked(police, fire)
        await carry(fire, police)
        await fire.ask(id_, "how many?", by="second")
        await police.answer(id_, "the two of the river brigade", 1)
        first = await letter_of(police)
        await carry(fire, police)
        await police.hear(await fire.take(first))
        for side in (police, fire):
            assert await said(side, id_) == [
                ("question", 1, "which boats?"),
                ("answer", 1, "the two of the river brigade"),
                ("question", 2, "how many?"),
            ]
        assert await states(police, fire, id_) == (State.MORE_INFORMATION, State.MORE_INFORMATION)
        await police.answer(id_, "two", 2)
        await carry(police, fire)
        assert await states(police, fire, id_) == (State.STORED, State.PENDING)
        for side in (police, fire):
            assert (await said(side, id_))[2:] == [("question", 2, "how many?"), ("answer", 2, "two")]
        journalled = [
            entry.detail for entry in (await fire.held()).journal[id_] if entry.event.endswith("answer")
        ]
        assert [msgspec.json.decode(detail)["question"] for detail in journalled] == [1, 2]

    by_letter(tmp_path, scenario)


@pytest.mark.law(4)
def test_who_answers_while_another_question_comes_answers_what_was_seen(tmp_path: Path) -> None:
    async def scenario(police: Side, fire: Side, _: Clock) -> None:
        id_ = await asked(police, fire)
        await carry(fire, police)
        await fire.ask(id_, "how many?", by="second")
        await carry(fire, police)
        await police.answer(id_, "the river brigade's", 1)
        assert await states(police, fire, id_) == (State.MORE_INFORMATION, State.MORE_INFORMATION)
        await police.answer(id_, "the river brigade's", 1)
        with pytest.raises(NotNow, match="question 1 has been answered"):
            await police.answer(id_, "others", 1)
        with pytest.raises(FaultyInput, match="must be a question of the partner: 1, 2"):
            await police.answer(id_, "others", 3)
        await police.answer(id_, "two", 2)
        await carry(police, fire)
        assert await states(police, fire, id_) == (State.STORED, State.PENDING)
        for side in (police, fire):
            assert [text for _, _, text in await said(side, id_)] == [
                "which boats?",
                "the river brigade's",
                "how many?",
                "two",
            ]

    by_letter(tmp_path, scenario)


def test_a_question_that_was_passed_over_is_closed_with_the_last_one(tmp_path: Path) -> None:
    async def scenario(police: Side, fire: Side, _: Clock) -> None:
        id_ = await asked(police, fire)
        await fire.ask(id_, "how many?", by="second")
        await carry(fire, police)
        await police.answer(id_, "two", 2)
        with pytest.raises(NotNow):
            await police.answer(id_, "the river brigade's", 1)
        await carry(police, fire)
        assert await states(police, fire, id_) == (State.STORED, State.PENDING)

    by_letter(tmp_path, scenario)


@pytest.mark.law(7)
def test_a_question_does_not_stop_the_time(tmp_path: Path) -> None:
    async def scenario(police: Side, fire: Side, clock: Clock) -> None:
        id_ = (await police.submit("key", expires_at=clock() + timedelta(hours=1))).id
        await carry(police, fire)
        await fire.ask(id_, "which boats?")
        await carry(fire, police)
        clock.advance(hours=1)
        await police.tick()
        await fire.tick()
        assert await states(police, fire, id_) == (State.OVERDUE, State.DECIDED)
        with pytest.raises(NotNow):
            await police.answer(id_, "two")
        await carry(fire, police)
        there = await police.exchange(id_)
        assert there is not None
        assert (there.state, there.outcome) == (State.ANSWERED, "expired")

    by_letter(tmp_path, scenario)


async def test_a_finally_refused_question_does_not_hold_up_the_response(tmp_path: Path) -> None:
    """Its place is used up (docs/protocol/rules.md#places-and-order)."""

    async with two_systems(tmp_path, start=False) as (police, fire_):
        await police.start()
        fire = ByHand.of(fire_)
        _, accepted = await police.submit()
        request = (await police.rows("SELECT body FROM message"))[0][0]
        await eventually(lambda: police.done("GET", f"/partners/{FIRE}"), lambda p: p.get("last_error"))
        question = fire.response(police, request) | {"type": "question", "text": "which boats?"}
        refused = await fire.put(police, question, at=(POLICE, accepted["id"], 1))
        assert (refused.problem, refused.document["final"]) == ("invalid-message", True)
        assert (await fire.put(police, fire.response(police, request, n=2))).status == 200
        assert (await police.exchange(accepted["id"]))["state"] == "answered"


async def test_an_answer_to_no_question_is_refused_and_may_be_sent_again(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police_, fire):
        await fire.start()
        police = ByHand.of(police_)
        request = police.request(fire)
        await police.put(fire, request)
        names = ("type", "version", "exchange", "from", "to", "created_at")
        answer = {name: request[name] for name in names} | {"type": "answer", "n": 2, "text": "two"}
        answer |= {"asker": {"mc_service_id": request["asker"]["mc_service_id"]}, "answers": "0" * 64}
        said = await police.put(fire, answer)
        assert (said.problem, said.document["final"]) == (Contradiction.type, False)
        assert (await fire.exchange(request["exchange"]))["state"] == "pending"


@pytest.mark.law(3)
def test_a_question_that_comes_again_gets_the_same_receipt(tmp_path: Path) -> None:
    async def scenario(police: Side, fire: Side, _: Clock) -> None:
        id_ = await asked(police, fire)
        question = await letter_of(fire)
        first = await police.take(question)
        await police.answer(id_, "two")
        again = await police.take(question)
        assert not isinstance(meaning(first), Refusal)
        assert again.reply.body == first.reply.body
        assert (await states(police, fire, id_))[0] is State.STORED

    by_letter(tmp_path, scenario)
