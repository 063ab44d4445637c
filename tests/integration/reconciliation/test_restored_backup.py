"""`acmx backup` while the server works, then `acmx restore`, and the partner gives back what came in between."""

import asyncio
from pathlib import Path

from acmx.bootstrap.backup import backup, restore
from support.systems import engines
from support.systems.restores import agree, compared
from support.systems.systems import FIRE, POLICE, two_systems


async def test_what_happened_since_the_backup_comes_back_from_the_partner(tmp_path: Path) -> None:
    async with two_systems(tmp_path) as (police, fire):
        before = [await police.submit(f"before {n}") for n in range(3)]
        saving = asyncio.create_task(asyncio.to_thread(backup, police.directory, tmp_path / "saved"))
        for n in range(5):
            await police.submit(f"meanwhile {n}")
        await saving
        _, since = await police.submit("since")
        await police.reaches(since["id"], "stored")
        await fire.review(since["id"])
        await police.reaches(since["id"], "answered")
        await police.stop()
        police.directory.rename(tmp_path / "lost")
        if police.config.database:
            engines.remake(police.config.database)
        await asyncio.to_thread(restore, tmp_path / "saved", police.directory)
        police.clock.advance(minutes=5)
        await police.start()
        await compared(police, FIRE)
        await compared(fire, POLICE)
        await police.reaches(since["id"], "answered")
        for _, accepted in before:
            await police.reaches(accepted["id"], "stored")
        await agree(police, fire)
