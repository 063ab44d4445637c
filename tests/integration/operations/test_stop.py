"""A stop lets what is under way finish, or leaves it for the next start; in bounded time."""

import asyncio
from pathlib import Path

import pytest

from acmx.bootstrap import database, server
from support.systems import engines
from support.systems.systems import FIRE, System, Two, eventually, two_systems


async def under_way(police: System) -> str:
    """A request whose delivery has begun."""
    await eventually(lambda: police.done("GET", f"/partners/{FIRE}"), lambda p: "last_success_at" in p)
    _, accepted = await police.submit()
    await eventually(lambda: police.done("GET", "/outbox"), lambda page: page["items"][0]["attempts"] == 1)
    id_: str = accepted["id"]
    return id_


@pytest.mark.law(6)
async def test_a_delivery_under_way_finishes_before_the_end(systems: Two) -> None:
    police, fire = systems
    await both_greeted(police, fire)
    release = engines.hold(fire)
    id_ = await under_way(police)
    stopping = asyncio.create_task(police.stop())
    await eventually(vitals_stopping(police), bool)
    assert not stopping.done()
    release()
    await stopping
    with database.snapshot(police.directory, police.config) as tx:
        assert tx.rows("SELECT id, state FROM exchange") == [(id_, "stored")]
        assert tx.rows("SELECT lease_owner FROM partner") == [(None,)]


@pytest.mark.law(6)
async def test_a_delivery_that_does_not_end_is_left_for_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "GRACE", 0.2)

    async with two_systems(tmp_path) as (police, fire):
        await both_greeted(police, fire)
        release = engines.hold(fire)
        id_ = await under_way(police)
        began = asyncio.get_running_loop().time()
        await police.stop()
        assert asyncio.get_running_loop().time() - began < 4.0
        release()
        await police.start()
        await police.reaches(id_, "stored")
        assert await fire.counts("exchange", "message") == {"exchange": 1, "message": 1}


async def both_greeted(*systems: System) -> None:
    for system in systems:
        await eventually(
            lambda of=system: of.done("GET", "/partners"), lambda p: "last_success_at" in p["items"][0]
        )


def vitals_stopping(system: System):  # type: ignore[no-untyped-def]
    async def look() -> bool:
        return system.server._vitals.stopping

    return look
