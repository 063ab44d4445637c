"""What a restored system's partners know of its server identities is what the messages say that came back."""

from pathlib import Path

import pytest

from integration.exchange.test_giving import accepted as gift
from integration.provisioning.test_provisioning import answered
from support.systems.restores import agree, back_up, compared, restore, run, systems
from support.systems.systems import FIRE, POLICE, System, eventually
from support.systems.updates import KMS, gets, publish

LOST, NEWER = "https://kms-lost.mc.county-fire.example", "https://kms-9.mc.county-fire.example"

pytestmark = pytest.mark.law(3)


async def holders(fire: System) -> list[tuple[int, int]]:
    """(version, exchanges) of what the police know."""
    items = (await fire.done("GET", "/server-identities/holders"))["items"]
    return [(holder["version"], holder["exchanges"]) for holder in items]


async def hold(fire: System, version: int, exchanges: int = 1) -> None:
    await eventually(lambda: holders(fire), lambda found: found == [(version, exchanges)])


async def both_compared(police: System, fire: System) -> None:
    await compared(police, FIRE)
    await compared(fire, POLICE)
    await agree(police, fire)


@pytest.mark.parametrize("restored", ["giver", "both"])
def test_an_approval_of_before_what_is_entered_now_is_followed_by_an_update(
    tmp_path: Path, restored: str
) -> None:
    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            at_fire = back_up(fire, "t0")
            id_ = await answered(police, fire)
            await fire.reaches(id_, "delivered")
            at_police = back_up(police, "t1")
            await publish(fire, kms=LOST)
            await gets(police, id_, kms=LOST)
            await hold(fire, 2)
            await police.stop()
            await restore(fire, at_fire)
            assert await publish(fire, kms=KMS) == 2
            if restored == "both":
                await restore(police, at_police, start=False)
            await police.start()
            await compared(fire, POLICE)
            await gets(police, id_, kms=KMS)
            await both_compared(police, fire)
            await hold(fire, 2)

    run(scenario())


@pytest.mark.parametrize("restored", ["giver", "receiver", "both"])
@pytest.mark.parametrize("told_in", ["response", "update"])
def test_the_number_of_a_version_that_is_lost_is_not_given_again(
    tmp_path: Path, told_in: str, restored: str
) -> None:
    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            copies = {fire: back_up(fire, "t0")}
            if told_in == "response":
                await publish(fire, kms=LOST)
            id_ = await answered(police, fire)
            await fire.reaches(id_, "delivered")
            copies[police] = back_up(police, "t1")
            if told_in == "update":
                copies[fire] = back_up(fire, "t1")
                await publish(fire, kms=LOST)
            await gets(police, id_, kms=LOST)
            await hold(fire, 2)
            await agree(police, fire)
            for side in {"giver": (fire,), "receiver": (police,), "both": (police, fire)}[restored]:
                await restore(side, copies[side], start=False)
            if restored == "both" and told_in == "update":
                # Nobody holds the update any more.
                await police.start()
                await fire.start()
                await both_compared(police, fire)
                await hold(fire, 1)
                await publish(fire, kms=NEWER)
            else:
                if restored != "giver":
                    await police.start()
                if restored != "receiver":
                    await fire.start()
                await both_compared(police, fire)
                await hold(fire, 2)
                assert (await gets(police, id_, kms=LOST))["grant"] == "live"
                assert await publish(fire, kms=NEWER) == 3
            await gets(police, id_, kms=NEWER)
            await agree(police, fire)
            await hold(fire, 2 if restored == "both" and told_in == "update" else 3)

    run(scenario())


@pytest.mark.parametrize("restored", ["giver", "receiver", "both"])
def test_who_was_given_something_does_not_give_by_it(tmp_path: Path, restored: str) -> None:
    async def scenario() -> None:
        async with systems(tmp_path) as (police, fire):
            copies = {system: back_up(system, "t0") for system in (police, fire)}
            id_ = await gift(police, fire)
            copies[fire] = back_up(fire, "t1") if restored == "both" else copies[fire]
            await publish(fire, kms=KMS)
            for side in {"giver": (fire,), "receiver": (police,), "both": (police, fire)}[restored]:
                await restore(side, copies[side])
            await both_compared(police, fire)
            await police.reaches(id_, "delivered")
            await fire.reaches(id_, "answered")
            assert await holders(police) == []
            assert await holders(fire) == []
            assert await fire.rows("SELECT catalogue FROM exchange") == [(1,)]
            assert await police.rows("SELECT catalogue FROM exchange") == [(None,)]

    run(scenario())
