"""At a start the partners are asked what time it is before time decides anything: their word may hold the clock."""

import socket
from pathlib import Path

import msgspec
import pytest

from acmx.delivery.clock_voices import WAIT, ClockVoices
from integration.operations.test_clock import clock_of, held, pending
from support.systems.systems import FIRE, POLICE, Clock, System, Two, eventually, two_systems


async def begun_ahead(fire: System, **ahead: float) -> None:
    """The machine was off, and its clock is wrong when it starts."""
    await fire.stop()
    fire.goes_by(fire.clock.another())
    fire.clock.advance(**ahead)
    await fire.start()


async def test_a_clock_that_is_ahead_ends_nothing_while_a_partner_says_otherwise(systems: Two) -> None:
    police, fire = systems
    id_ = await pending(police, fire)
    await begun_ahead(fire, days=40)
    reason = (await held(fire))["reason"]
    ours, theirs = fire.clock().isoformat()[:19], police.clock().isoformat()[:19]
    assert f"the clock says {ours}.000Z, but by the signed word of {POLICE} it is {theirs}" in reason
    assert "1 of the 1 partners that answered disagree" in reason
    await fire.server._guard.look()
    assert (await fire.exchange(id_))["state"] == "pending"
    fire.clock.jump(days=-40)
    await fire.server._guard.look()
    assert "held_since" in await clock_of(fire)
    await fire.done("POST", "/clock/confirmation")
    await fire.review(id_)
    await police.reaches(id_, "answered")


async def test_a_clock_that_is_behind_is_held_too(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, fire):
        police.goes_by(police.clock.another())
        police.clock.advance(minutes=6)
        await police.start()
        await fire.start()
        assert "it is 2026-11-23T08:06:00.000Z" in (await held(fire))["reason"]


async def test_a_partner_that_cannot_be_reached_does_not_keep_the_server_from_going_on(systems: Two) -> None:
    police, fire = systems
    id_ = await pending(police, fire)
    await police.stop()
    await begun_ahead(fire, days=40)
    assert (await fire.reaches(id_, "decided"))["outcome"] == "expired"
    assert "held_since" not in await clock_of(fire)


async def test_one_that_answers_later_still_holds_the_clock(systems: Two) -> None:
    police, fire = systems
    await police.stop()
    await begun_ahead(fire, days=40)
    await eventually(fire.server._house.sure_of_clock, bool)
    await police.start()
    fire.clock.advance(minutes=20)
    await fire.nudge(POLICE)
    assert f"by the signed word of {POLICE}" in (await held(fire))["reason"]


async def test_a_request_that_seems_late_is_not_decided_before_the_partners_were_asked(
    tmp_path: Path,
) -> None:
    """The one that says nothing keeps its connection open, and time goes on."""

    async with two_systems(tmp_path, start=False) as (_, fire):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            await _lead_to(fire, silent.getsockname()[1])
            await fire.start()
            house = fire.server._house
            assert not house.sure_of_clock()
            await fire.server._guard.look()
            assert not house.sure_of_clock()
            fire.clock.advance(seconds=WAIT)
            await fire.server._guard.look()
            assert house.sure_of_clock()


async def _lead_to(fire: System, port: int) -> None:
    """The address of the partner leads to this port."""
    store = fire.open_store()
    [(body,)] = await store.read(lambda tx: tx.rows("SELECT metadata FROM partner"))
    document = msgspec.json.decode(body) | {"address": f"https://127.0.0.1:{port}"}
    changed = {"metadata": msgspec.json.encode(document)}
    await store.write(lambda tx: tx.execute("UPDATE partner SET metadata = :metadata", changed))
    await store.close()


@pytest.mark.parametrize(
    ("ahead", "is_held"),
    [
        ([], False),
        ([0], False),
        ([299], False),
        ([301], True),
        ([-301], True),
        ([0, 400], True),
        ([0, 0, 400], False),
        ([0, 400, -400], True),
        ([None], False),
        ([None, 400], True),
        ([None, 0, 400, 0], False),
    ],
)
async def test_half_of_the_partners_that_answered_hold_the_clock(
    ahead: list[int | None], is_held: bool, tmp_path: Path
) -> None:
    """Seconds that each says more than we; None: it does not answer."""

    async with two_systems(tmp_path, start=False) as (_, fire):
        store, clock = fire.open_store(), Clock()
        voices = ClockVoices(clock, store, clock.machine, clock.steady)
        voices.wait_for(str(n) for n in range(len(ahead)))
        for n, seconds in enumerate(ahead):
            await voices.judge()
            assert not voices.sure()
            voices.silent(str(n)) if seconds is None else voices.hear(str(n), seconds * 1000)
        await voices.judge()
        assert voices.sure()
        held = await store.read(lambda tx: tx.rows("SELECT reason FROM clock_hold"))
        assert bool(held) is is_held
        await store.close()


async def test_the_partners_that_are_asked_are_those_with_whom_the_partnership_is_established(
    tmp_path: Path,
) -> None:
    async with two_systems(tmp_path, start=False) as (_, fire):
        store = fire.open_store()
        await store.write(lambda tx: tx.execute("UPDATE partner SET state_there = 'suspended'"))
        await store.close()
        await fire.start()
        await fire.server._guard.look()
        assert fire.server._house.sure_of_clock()
        assert FIRE not in fire.server._voices._said
