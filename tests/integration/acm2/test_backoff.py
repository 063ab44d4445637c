"""The one retry loop (law 6): when a link is tried again, and what one failing message means for the others."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from acmx.domain.errors import TemporarilyUnavailable
from acmx.flows.acm2 import receive
from acmx.flows.acm2.arrivals import Arrived
from acmx.flows.acm2.receive import Reply
from support.systems.systems import FIRE, System, eventually, two_systems

PROBE_MS = 30_000


async def link(system: System) -> tuple[int, int]:
    """Failures in a row, and milliseconds until the next attempt."""
    failures, at = (await system.rows("SELECT failures, COALESCE(next_attempt_at, 0) FROM partner"))[0]
    return failures, at - int(system.clock().timestamp() * 1000)


@pytest.mark.law(6)
async def test_what_begins_to_wait_shortens_a_back_off_that_has_grown(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        for failed in range(1, 12):
            await eventually(lambda: link(police), lambda found, failed=failed: found[0] == failed)
            if failed < 11:
                police.clock.advance(minutes=15)
                await police.nudge(FIRE)
        assert (await link(police))[1] > 10 * 60_000
        await police.submit()
        await eventually(lambda: link(police), lambda found: found[0] == 12)
        assert 0.75 * PROBE_MS <= (await link(police))[1] <= PROBE_MS


async def poison(system: System) -> tuple[int, float]:
    """Attempts of the message that waits longest, and seconds until the next one."""
    [(attempts, at)] = await system.rows(
        "SELECT attempts, next_attempt_at FROM outbox ORDER BY serial LIMIT 1"
    )
    return attempts, at / 1000 - system.clock().timestamp()


def is_put_off(found: tuple[int, float], *, after: int) -> bool:
    attempts, seconds = found
    longest = min(2 ** (attempts - 3), 30)
    return attempts > max(after, 2) and 0.74 * longest <= seconds <= longest


@pytest.mark.law(6)
def test_a_message_that_alone_gets_no_signed_answer_is_put_off_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stumble(house: Any, store: Any, refusals: Any, arrived: Arrived) -> Reply:
        if b"poison" in arrived.body:
            raise TemporarilyUnavailable  # answered by the face, unsigned
        return await takes(house, store, refusals, arrived)

    takes = receive.receive

    async def scenario() -> None:
        async with two_systems(tmp_path) as (police, _):
            await police.submit("poison", purpose="poison")

            async def tried() -> int:
                police.clock.advance(seconds=1)
                await police.nudge(FIRE)
                return (await poison(police))[0]

            await eventually(tried, lambda attempts: attempts >= 3)
            attempts = 0
            for number in range(6):
                attempts, seconds = await eventually(
                    lambda: poison(police), lambda found, after=attempts: is_put_off(found, after=after)
                )
                failures, link_again = await link(police)
                assert failures <= 1
                assert link_again <= 1000
                police.clock.advance(seconds=max(seconds, 1))
                _, other = await police.submit(f"other {number}")
                await police.reaches(other["id"], "stored")
            assert seconds > 20

    monkeypatch.setattr(receive, "receive", stumble)
    asyncio.run(scenario())
