"""The journal is sealed, checkpoints are signed, kept and shipped."""

import asyncio
from functools import partial
from pathlib import Path

import msgspec
import pytest

from acmx.bootstrap.doctor.doctor import examine
from acmx.delivery.sealer import Sealer
from acmx.domain.records import SignedCheckpoint
from acmx.flows.evidence import seal
from support.systems import engines
from support.systems.evidence import all_sealed, answered, fill, looks, verified, verified_over_acm1
from support.systems.systems import System, Two, two_systems


async def test_every_row_is_sealed_within_the_second_and_signed(systems: Two) -> None:
    police, fire = systems
    await answered(police, fire)
    for system in (police, fire):
        await all_sealed(system)
        rows = await system.rows("SELECT serial, number, length(hash) FROM journal ORDER BY serial")
        assert [(number, length) for _, number, length in rows] == [(n, 32) for n in range(1, len(rows) + 1)]
        before = await looks(system, "journal-exported")
        verdict = await verified_over_acm1(system)
        assert await looks(system, "journal-exported") == [*before, "auditor"]
        assert (verdict.troubles, verdict.rows >= len(rows)) == ((), True)


async def test_two_sealers_do_no_harm(tmp_path: Path) -> None:
    async with two_systems(tmp_path) as (police, _):
        await asyncio.gather(
            *(police.store.write(partial(fill, count=150)) for _ in range(4)),
            *(seal.seal(police.house, police.store, police.own) for _ in range(3)),
        )
        await all_sealed(police)
    verdict = verified(tmp_path / "police")
    assert (verdict.troubles, verdict.unproven, verdict.rows >= 600) == ((), 0, True)


async def test_a_plan_to_seal_that_came_second_is_prepared_again(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        await all_sealed(police)
        await police.server._supervisor.stop()
        await police.store.write(partial(fill, count=3))
        prepare = partial(seal.prepare, police.house, police.own)
        first, second = [await police.store.read(prepare) for _ in range(2)]
        await police.store.write(partial(seal.apply, plan=first))
        with pytest.raises(seal.StaleError):
            await police.store.write(partial(seal.apply, plan=second))


async def test_checkpoints_are_kept_each_hour_and_the_newest_always(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        await all_sealed(police)
        [(began,)] = await police.rows("SELECT MAX(size) FROM checkpoint")
        sizes = []
        for _ in range(6):
            police.clock.advance(minutes=25)
            await police.store.write(partial(fill, count=2))
            await seal.seal(police.house, police.store, police.own)
            sizes.append((await police.rows("SELECT MAX(size) FROM checkpoint"))[0][0])
        kept = [
            size
            for (size,) in await police.rows(
                f"SELECT size FROM checkpoint WHERE size > {began} ORDER BY size"
            )
        ]
        assert kept == [sizes[2], sizes[5]]


async def test_a_stopping_server_leaves_nothing_unsealed_and_starting_again_goes_on(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        for _ in range(3):
            await police.start()
            await police.store.write(partial(fill, count=300))
            await police.stop()
            verdict = verified(tmp_path / "police")
            assert (verdict.troubles, verdict.unsealed, verdict.unproven) == ((), 0, 0)
        assert verdict.rows >= 902


async def test_checkpoints_are_shipped_to_the_directory(tmp_path: Path) -> None:
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        sealer = Sealer(police.house, police.store, police.own, shipped)
        for _ in range(4):
            await police.store.write(partial(fill, count=2))
            await sealer.seal()
            await sealer.shipper.ship()
            police.clock.advance(minutes=31)
        await police.stop()
        files = sorted(path.name for path in shipped.iterdir())
        sizes = [int(name.split("-")[1]) for name in files]
        assert (len(sizes), sizes[1] - sizes[0]) == (2, 4)
        read = [msgspec.json.decode((shipped / name).read_bytes(), type=SignedCheckpoint) for name in files]
        assert verified(tmp_path / "police", *read).troubles == ()
        engines.change(
            police,
            "UPDATE journal SET actor = 'x', hash = NULL, number = NULL WHERE serial = 3",
        )
        assert verified(tmp_path / "police", *read).troubles


async def test_a_directory_that_cannot_be_written_to_stops_nothing_and_the_doctor_says_so(
    tmp_path: Path,
) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        path = police.directory / "config.toml"
        path.write_text(
            path.read_text().replace('checkpoint_directory = ""', 'checkpoint_directory = "later"')
        )
        await (system := System(police.directory, police.clock)).start()
        await system.store.write(partial(fill, count=2))
        await all_sealed(system)
        assert (await system.done("GET", "/health"))["components"]
        found = {one.name: one for one in (await asyncio.to_thread(examine, system.directory)).items}
        assert found["checkpoints"].status == "failed"
        later = system.directory / "later"
        later.mkdir()
        await system.server._sealer.shipper.ship()
        assert len(list(later.iterdir())) == 1
        found = {one.name: one for one in (await asyncio.to_thread(examine, system.directory)).items}
        assert found["checkpoints"].status == "ok"
        await system.stop()
