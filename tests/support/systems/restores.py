"""Two real systems of which one or both are restored from an older copy of their database."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from acmx.storage.engines import transfer
from support.systems import engines
from support.systems.another import another_connection
from support.systems.systems import FIRE, POLICE, System, eventually, two_systems

MESSAGES = "SELECT primary_system, id, sender, n, digest FROM message ORDER BY 1, 2, 3, 4"


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


def back_up(system: System, name: str) -> Path:
    """A copy of the database as it is now, though the server runs: a SQLite file, whatever the engine."""
    copy = system.directory.with_name(f"{system.directory.name}-{name}.db")
    if system.config.database:
        transfer.to_file(system.config.database, copy)
        return copy
    connection = another_connection(system.directory / "acmx.db")
    connection.execute("VACUUM INTO ?", (str(copy),))
    connection.close()
    return copy


async def restore(system: System, copy: Path, *, start: bool = True) -> None:
    """Put an older database in place of the present one, as someone would who does not know what that means."""
    await system.stop()
    if system.config.database:
        engines.remake(system.config.database)
        transfer.to_postgres(copy, system.config.database)
    for name in ("acmx.db", "acmx.db-wal", "acmx.db-shm"):
        (system.directory / name).unlink(missing_ok=True)
    if not system.config.database:
        shutil.copy(copy, system.directory / "acmx.db")
    system.clock.advance(minutes=5)  # type: ignore[attr-defined]
    if start:
        await system.start()


async def compared(system: System, partner: str) -> dict[str, Any]:
    """The partner, once a comparison with it is completed and none is due."""

    async def look() -> Any:
        return await system.done("GET", f"/partners/{partner}")

    return await eventually(look, lambda shown: "compared_at" in shown and "comparison_due" not in shown)


async def compare(system: System, partner: str) -> dict[str, Any]:
    system.clock.advance(minutes=5)  # type: ignore[attr-defined]
    await system.done("POST", f"/partners/{partner}/comparison")
    return await compared(system, partner)


async def agree(police: System, fire: System) -> None:
    """Both hold the same messages, byte for byte, and nothing waits."""

    async def look() -> Any:
        return [
            (await system.rows(MESSAGES), await system.rows("SELECT * FROM outbox"))
            for system in (police, fire)
        ]

    await eventually(look, lambda held: held[0] == held[1] and not held[0][1])


@asynccontextmanager
async def systems(tmp: Path) -> AsyncIterator[tuple[System, System]]:
    async with two_systems(tmp) as (police, fire):
        await compared(police, FIRE)
        await compared(fire, POLICE)
        police.clock.advance(minutes=5)  # type: ignore[attr-defined]
        yield police, fire


async def asked(police: System, fire: System, key: str = "key", **changes: Any) -> str:
    _, accepted = await police.submit(key, **changes)
    await police.reaches(accepted["id"], "stored")
    await fire.reaches(accepted["id"], "pending")
    return str(accepted["id"])


async def answered(police: System, fire: System, id_: str) -> None:
    status, reviewed = await fire.review(id_)
    assert status == 200, reviewed
    await police.reaches(id_, "answered")
    await fire.reaches(id_, "delivered")


async def withdrawn(police: System, fire: System, id_: str) -> None:
    await police.withdraw(id_)
    await police.reaches(id_, "withdrawn")
    await fire.reaches(id_, "withdrawn")
