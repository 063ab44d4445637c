"""A clock that jumps holds what time alone decides, until an operator confirms it."""

from pathlib import Path
from typing import Any

import pytest

from acmx.delivery.clock_guard import ClockGuard
from acmx.delivery.clock_voices import ClockVoices
from support.systems.systems import System, Two, eventually, two_systems


async def pending(police: System, fire: System) -> str:
    """A request that waits for a decision of the fire service."""
    _, accepted = await police.submit()
    await police.reaches(accepted["id"], "stored")
    id_: str = accepted["id"]
    return id_


async def clock_of(system: System) -> Any:
    return (await system.done("GET", "/health", account="operator"))["clock"]


async def held(system: System) -> Any:
    return await eventually(lambda: clock_of(system), lambda clock: "held_since" in clock)


@pytest.mark.parametrize("jump", [{"days": 40}, {"minutes": 5, "seconds": 1}, {"minutes": -6}])
async def test_a_jump_either_way_holds_expiry_until_it_is_confirmed(
    jump: dict[str, float], systems: Two
) -> None:
    police, fire = systems
    id_ = await pending(police, fire)
    fire.clock.jump(**jump)
    doubt = await held(fire)
    assert f"the clock jumped {'forward' if sum(jump.values()) > 0 else 'back'} by" in doubt["reason"]
    fire.clock.advance(days=40)
    await fire.tick()
    assert (await fire.exchange(id_))["state"] == "pending"
    await fire.restart()
    await fire.tick()
    assert "held_since" in await clock_of(fire)
    assert (await fire.exchange(id_))["state"] == "pending"
    confirmed = await fire.done("POST", "/clock/confirmation", account="operator")
    assert "held_since" not in confirmed
    assert (await fire.reaches(id_, "decided", "delivered"))["outcome"] == "expired"
    events = [entry["event"] for entry in (await fire.done("GET", "/audit?limit=1000"))["items"]]
    assert (events.count("clock-held"), events.count("clock-confirmed")) == (1, 1)


async def test_a_request_that_seems_late_is_not_decided_by_a_clock_in_doubt(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, fire):
        await fire.start()
        fire.clock.jump(minutes=6)
        await held(fire)
        await fire.stop()
        await police.start()
        _, accepted = await police.submit(expires_at="2026-11-23T09:00:00Z")
        fire.clock.advance(hours=2)
        await fire.start()
        await eventually(lambda: fire.counts("exchange"), lambda counts: counts["exchange"] == 1)
        assert (await fire.exchange(accepted["id"]))["state"] == "pending"
        await fire.done("POST", "/clock/confirmation", account="operator")
        assert (await fire.reaches(accepted["id"], "decided", "delivered"))["outcome"] == "expired"


async def test_a_clock_behind_the_journal_at_the_start_is_in_doubt(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (_, fire):
        fire.clock.advance(hours=1)
        await fire.start()
        await fire.done("PUT", "/policy", {"text": ""})
        await fire.stop()
        fire.clock.advance(minutes=-5)
        await fire.start()
        assert "held_since" not in await clock_of(fire)
        await fire.stop()
        fire.clock.advance(minutes=-1)
        await fire.start()
        assert (
            "but the journal was last written at 2026-11-23T09:00:00.000Z" in (await clock_of(fire))["reason"]
        )
        await fire.done("POST", "/clock/confirmation")
        await fire.restart()
        assert "held_since" not in await clock_of(fire)


async def test_small_steps_and_time_that_simply_passes_are_no_jumps(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        voices = ClockVoices(police.clock, police.store, police.clock.machine, police.clock.steady)
        guard = ClockGuard(police.clock, police.store, voices, police.clock.machine, police.clock.steady)
        for jump in ({"minutes": 5}, {"minutes": -5}):
            await guard.look()
            police.clock.jump(**jump)
            police.clock.advance(days=3)
        await guard.look()
        assert "held_since" not in await clock_of(police)


async def test_confirming_a_clock_that_nobody_doubts_changes_nothing(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        assert await police.done("POST", "/clock/confirmation") == {"now": "2026-11-23T08:00:00Z"}
        assert not [
            e for e in (await police.done("GET", "/audit"))["items"] if e["event"] == "clock-confirmed"
        ]
