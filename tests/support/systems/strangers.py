"""Two MC systems before they meet."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from support.systems.systems import System, two_systems


@asynccontextmanager
async def strangers(tmp: Path) -> AsyncIterator[tuple[System, System]]:
    """Both systems run and know nobody."""
    async with two_systems(tmp, start=False) as both:
        for system in both:
            store = system.open_store()
            for table in ("partner", "terms"):
                await store.write(lambda tx, table=table: tx.execute(f"DELETE FROM {table}"))
            await store.close()
            await system.start()
        yield both


async def files(police: System, fire: System) -> None:
    for one, other in ((police, fire), (fire, police)):
        await one.done("POST", "/partners", await other.done("GET", "/partner-file"))
