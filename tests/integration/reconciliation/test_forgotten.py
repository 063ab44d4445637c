"""After a restore: what nobody will send any more is not waited for, and nothing that people said is lost."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from support.partner.by_hand import ByHand
from support.systems import engines
from support.systems.restores import agree, asked, back_up, compare, compared, restore, run, systems
from support.systems.systems import FIRE, POLICE, System, eventually

pytestmark = pytest.mark.law(3)


async def undelivered(police: System, fire: System, id_: str) -> None:
    """B has decided, and its response is put off for as long as the test lasts."""
    await police.stop()
    await fire.review(id_)
    await fire.stop()
    engines.change(
        fire, "UPDATE outbox SET first_sent_at = NULL, next_attempt_at = next_attempt_at + 86400000"
    )
    await asyncio.gather(police.start(), fire.start())
    await compared(police, FIRE)
    await compared(fire, POLICE)


@pytest.mark.law(7)
@pytest.mark.parametrize("known", [True, False], ids=["undecided", "unknown"])
def test_a_withdrawal_ends_though_the_decision_that_it_waits_for_was_forgotten(
    tmp_path: Path, *, known: bool
) -> None:
    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            before = back_up(fire, "before")
            id_ = await asked(police, fire)
            copy = back_up(fire, "undecided") if known else before
            await undelivered(police, fire, id_)
            await police.withdraw(id_)
            await police.reaches(id_, "withdrawing")
            await eventually(lambda: police.exchange(id_), lambda shown: not shown["waiting"])
            await restore(fire, copy)
            await compared(fire, POLICE)
            await fire.reaches(id_, "withdrawn")
            assert (await police.exchange(id_))["state"] == "withdrawing"
            await compare(police, FIRE)
            at_police = await police.reaches(id_, "withdrawn")
            assert not at_police["waiting"]
            assert at_police["journal"][-1]["event"] == "withdrawal-stands"
            told = await police.rows("SELECT audience FROM notice WHERE event = 'withdrawal-stands'")
            assert told == [("asker",)]
            await agree(police, fire)

    run(scenario())


def test_a_decision_that_lost_its_place_to_a_forgotten_question_is_delivered(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            id_ = await asked(police, fire)
            copy = back_up(fire, "t0")
            await fire.done("POST", f"/requests/{id_}/questions", {"text": "how many vehicles?"})
            await police.reaches(id_, "more_information")
            await police.stop()
            await restore(fire, copy)
            status, _ = await fire.review(id_)
            assert status == 200
            await police.start()
            fire.clock.advance(minutes=20)  # type: ignore[attr-defined]
            await fire.nudge(POLICE)
            at_police = await police.reaches(id_, "answered")
            assert (at_police["outcome"], at_police["reason"]) == ("approved", "as agreed")
            at_fire = await fire.reaches(id_, "delivered")
            await agree(police, fire)
            numbers = await fire.rows(f"SELECT n, type FROM message WHERE sender = '{FIRE}' ORDER BY n")
            assert numbers == [(1, "question"), (2, "response")]
            [lost] = at_fire["contradictions"]
            assert (lost["outcome"], lost["n"]) == ("approved", 1)
            assert not at_police.get("contradictions")
            assert [remark["text"] for remark in at_fire["conversation"]] == ["how many vehicles?"]

    run(scenario())


def test_a_question_that_lost_its_place_is_asked_again_and_answered(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            id_ = await asked(police, fire)
            copy = back_up(fire, "t0")
            await fire.done("POST", f"/requests/{id_}/questions", {"text": "how many vehicles?"})
            await police.reaches(id_, "more_information")
            await police.done("POST", f"/requests/{id_}/answers", {"question": 1, "text": "three"})
            await fire.reaches(id_, "pending")
            await agree(police, fire)
            await police.stop()
            await restore(fire, copy)
            await fire.done("POST", f"/requests/{id_}/questions", {"text": "for how long?"})
            await police.start()
            fire.clock.advance(minutes=20)  # type: ignore[attr-defined]
            await fire.nudge(POLICE)
            await police.reaches(id_, "more_information")
            await police.done("POST", f"/requests/{id_}/answers", {"question": 2, "text": "two days"})
            police.clock.advance(minutes=1)  # type: ignore[attr-defined]
            await police.nudge(FIRE)
            await fire.reaches(id_, "pending")
            await agree(police, fire)
            said = [remark["text"] for remark in (await police.exchange(id_))["conversation"]]
            assert said == ["how many vehicles?", "three", "for how long?", "two days"]

    run(scenario())


def test_an_unknown_exchange_is_not_ended_for_good_before_the_first_comparison(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            copy = back_up(fire, "t0")
            await police.stop()
            stand_in = ByHand.of(police)
            await restore(fire, copy)
            foreign = stand_in.request(fire, users=["sip:nobody@elsewhere.example"])
            withdrawal = stand_in.withdrawal(fire, stand_in.request(fire)["exchange"])
            good = stand_in.request(fire)
            for message in (foreign, withdrawal):
                said = await stand_in.put(fire, message)
                assert (said.problem, said.document["final"]) == ("unavailable", False)
            assert (await stand_in.put(fire, good)).status == 200

            async with stand_in.serving(fire, stored):
                fire.clock.advance(minutes=20)  # type: ignore[attr-defined]
                await fire.nudge(POLICE)
                await compared(fire, POLICE)
                said = await stand_in.put(fire, foreign)
                assert (said.problem, said.document["final"]) == ("foreign-user", True)
                said = await stand_in.put(fire, withdrawal)
                assert said.document["status"] == "withdrawn"
                await fire.stop()

    async def stored(_: Any) -> Any:
        raise AssertionError

    run(scenario())
