"""Verification of a journal: offline, of a running server, of a backup."""

import asyncio
import tracemalloc
from functools import partial
from pathlib import Path

import pytest

from acmx.bootstrap.backup import backup
from acmx.flows.evidence import seal
from support.systems import engines
from support.systems.evidence import all_sealed, answered, fill, shipped_from, verified
from support.systems.systems import two_systems


@pytest.mark.parametrize(
    ("spoilt", "wrong", "words"),
    [
        (
            ["UPDATE journal SET actor = 'sip:other@x.example' WHERE number = 300"],
            "changed",
            "row 300 (filler, ",
        ),
        (["UPDATE journal SET at = 'noon' WHERE number = 300"], "changed", "row 300 (filler, noon"),
        (["UPDATE journal SET hash = x'00' WHERE number = 300"], "changed", "row 300 (filler, "),
        (["DELETE FROM journal WHERE number = 300"], "removed", "row 300 is missing, before row 301"),
        (
            [
                "DELETE FROM journal WHERE number = 300",
                "INSERT INTO journal (serial, at, event, actor, detail) VALUES (300, 1, 'forged', 'x', '{}')",
            ],
            "inserted",
            "serial 300 (forged, ",
        ),
        (["DELETE FROM journal WHERE number > 500"], "cut-off", "the journal ends with row 500"),
        (
            ['UPDATE checkpoint SET body = replace(body, \'"root":"\', \'"root":"0\')'],
            "checkpoint",
            "not good",
        ),
        (["DELETE FROM checkpoint", "DELETE FROM journal WHERE number > 500"], None, ""),
    ],
)
async def test_what_was_done_to_the_database_is_found(
    spoilt: list[str], wrong: str | None, words: str, tmp_path: Path, engine: str
) -> None:
    if engine == "postgres" and "noon" in spoilt[0]:
        pytest.skip("PostgreSQL takes no text for a number")

    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        await police.store.write(partial(fill, count=600))
        shipped = await shipped_from(police)
        await police.stop()
        assert verified(police.directory, shipped).troubles == ()
        engines.change(police, *spoilt)
        found = {trouble.wrong: trouble.text for trouble in verified(police.directory).troubles}
        if wrong is None:
            assert found == {}
            assert [t.wrong for t in verified(police.directory, shipped).troubles] == ["cut-off"]
        else:
            assert words in found[wrong]


async def test_a_running_server_and_its_backup_are_verified_too(tmp_path: Path) -> None:
    async with two_systems(tmp_path) as (police, fire):
        await answered(police, fire)
        await all_sealed(police)
        assert verified(police.directory).troubles == ()
        await asyncio.to_thread(backup, police.directory, tmp_path / "saved")
        verdict = await asyncio.to_thread(verified, tmp_path / "saved")
        assert (verdict.troubles, verdict.rows >= 6) == ((), True)
        later = await shipped_from(police)
        await police.done("GET", "/pending")
        assert verified(tmp_path / "saved", later).troubles == ()


@pytest.mark.slow
def test_a_hundred_thousand_rows_are_sealed_and_verified_in_little_memory(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with two_systems(tmp_path, start=False) as (police, _):
            await police.start()
            for _ in range(100):
                await police.store.write(partial(fill, count=1000))
            await seal.seal(police.house, police.store, police.own)
            await police.stop()

    asyncio.run(scenario())
    tracemalloc.start()
    verdict = verified(tmp_path / "police")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (verdict.troubles, verdict.rows > 100_000, verdict.checkpoints >= 10) == ((), True, True)
    assert most < 4 * 1024 * 1024
