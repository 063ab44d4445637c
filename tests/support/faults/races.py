"""What tests of two systems that act at once have in common: an exchange under way, and a partner by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from acmx.domain.messages import PROBLEM
from support.partner.by_hand import ByHand
from support.systems.systems import FIRE, System, eventually, two_systems

ROUNDS = 6


async def stored(police: System, key: str = "key", **changes: Any) -> str:
    """The id of a request that the fire service has stored."""
    _, accepted = await police.submit(key, **changes)
    await police.reaches(accepted["id"], "stored")
    return str(accepted["id"])


def is_problem(said: tuple[int, Any], status: int, type_: str) -> Any:
    found, problem = said
    assert (found, problem["type"]) == (status, PROBLEM + type_), problem
    return problem


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
