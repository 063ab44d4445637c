"""A database that holds another history than the checkpoints that were shipped: found, told, and never covered up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acmx.bootstrap.doctor.doctor import examine
from acmx.bootstrap.offline_audit import opened
from acmx.delivery import shipping
from acmx.delivery.shipper import Shipper
from acmx.domain.acm1 import Finding
from acmx.domain.records import Checkpoint, SignedCheckpoint
from acmx.flows.evidence import seal
from acmx.trust.sealing import sign_checkpoint
from support.systems.evidence import all_sealed, fill, verified
from support.systems.restores import back_up, restore, run
from support.systems.systems import System, eventually, two_systems


@asynccontextmanager
async def ships(tmp_path: Path) -> AsyncIterator[tuple[System, Path]]:
    """One system that ships checkpoints to a directory."""
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    async with two_systems(tmp_path, start=False) as (police, _):
        path = police.directory / "config.toml"
        line = 'checkpoint_directory = "{}"'
        path.write_text(path.read_text().replace(line.format(""), line.format(shipped)))
        system = System(police.directory, police.clock)
        await system.start()
        try:
            yield system, shipped
        finally:
            await system.stop()


async def goes_on(system: System, shipped: Path, rows: int = 5) -> dict[str, bytes]:
    """So many rows more, and the checkpoint over them; all files then."""
    await system.store.write(partial(fill, count=rows))
    await seal.seal(system.house, system.store, system.own)
    system.clock.advance(minutes=61)
    before = files(shipped)
    await system.server._sealer.shipper.ship()
    found = files(shipped)
    assert len(found) > len(before)
    return found


def files(shipped: Path) -> dict[str, bytes]:
    """Those that are whole: one may be under way."""
    whole = [path for path in shipped.glob("checkpoint-*") if path.stat().st_size]
    return {path.name: path.read_bytes() for path in whole}


def checkpoint(content: bytes) -> SignedCheckpoint:
    return msgspec.json.decode(content, type=SignedCheckpoint)


async def health(system: System) -> tuple[int, Any, Any]:
    """The status and document of readiness, and what the component says."""
    async with system.http.get(f"{system.url.removesuffix('/acm1/v1')}/health/ready") as reply:
        ready = reply.status, await reply.json()
    parts = (await system.done("GET", "/health"))["components"]
    [part] = [part for part in parts if part["name"] == "journal"]
    return *ready, part


async def red(system: System) -> Any:
    found = await eventually(partial(health, system), lambda found: found[0] == 503)
    assert found[1]["failing"] == ["journal"]
    return found[2]


async def green(system: System) -> None:
    status, said, part = await eventually(partial(health, system), lambda found: found[0] == 200)
    assert (status, said["failing"], part["ok"]) == (200, [], True)


async def wrong(place: Path, *shipped: bytes) -> list[str]:
    """What a verification without a server finds."""
    verdict = await asyncio.to_thread(verified, place, *map(checkpoint, shipped))
    return [trouble.wrong for trouble in verdict.troubles]


async def doctor(system: System) -> Finding:
    found = (await asyncio.to_thread(examine, system.directory)).items
    return next(one for one in found if one.name == "checkpoints")


def acknowledge(system: System) -> Any:
    given = {"reason": "restored from Monday's backup"}
    return system.done("POST", "/audit/fork/acknowledgement", given, account="operator")


async def journalled(system: System, event: str) -> list[Any]:
    found = await system.rows(f"SELECT actor, detail FROM journal WHERE event = '{event}' ORDER BY serial")
    return [(actor, msgspec.json.decode(detail)) for actor, detail in found]


@pytest.mark.parametrize("beyond", [True, False], ids=["shorter", "longer"])
def test_after_a_restore_the_lost_history_stays_and_is_told_of(tmp_path: Path, beyond: bool) -> None:
    async def scenario() -> None:
        async with ships(tmp_path) as (system, shipped):
            await goes_on(system, shipped)
            await all_sealed(system)
            copy = back_up(system, "t0")
            lost = await goes_on(system, shipped, rows=200 if beyond else 1)
            lost = await goes_on(system, shipped, rows=200 if beyond else 1)
            newest = lost[max(lost)]
            await green(system)
            await restore(system, copy)
            part = await red(system)
            assert "acmx audit acknowledge" in part["trouble"]
            assert max(lost) in part["trouble"]
            if not beyond:
                await goes_on(system, shipped, rows=300)
            assert {name: content for name, content in files(shipped).items() if name in lost} == lost
            [(actor, detail)] = await journalled(system, "journal-forked")
            assert (actor, detail["checkpoints"]) == ("sealer", 2)
            said = msgspec.json.decode(checkpoint(newest).checkpoint, type=Checkpoint)
            assert (detail["last"], detail["root"]) == (said.size, said.root)
            notices = "SELECT audience, id FROM notice WHERE event = 'journal-forked'"
            [(audience, subject)] = await system.rows(notices)
            assert (audience, said.root[:16] in subject) == ("operators", True)
            await all_sealed(system)
            assert await wrong(system.directory) == ["forked"]
            assert set(await wrong(system.directory, newest)) == {
                "cut-off" if beyond else "rewritten",
                "forked",
            }
            assert (await doctor(system)).status == "failed"

            assert await acknowledge(system) == {"checkpoints": 2}
            assert await acknowledge(system) == {"checkpoints": 0}
            await green(system)
            [(actor, detail)] = await journalled(system, "fork-acknowledged")
            assert (actor, detail["reason"]) == (f"sip:operator@{system.id}", "restored from Monday's backup")
            await all_sealed(system)
            assert await wrong(system.directory) == []
            assert await wrong(system.directory, newest) == ["cut-off" if beyond else "rewritten"]
            with opened(system.directory):
                [fork] = (await asyncio.to_thread(verified, system.directory)).forks
            assert "restored from Monday's backup" in (fork.acknowledged or "")
            await system.restart()
            await all_sealed(system)
            await green(system)
            assert (await doctor(system)).status == "ok"
            assert len(await journalled(system, "journal-forked")) == 1

            await goes_on(system, shipped, rows=400)
            await restore(system, copy)
            await red(system)

    run(scenario())


def test_what_is_shipped_is_compared_beside_the_lost_history(tmp_path: Path) -> None:
    """A lost checkpoint does not hide that something after it was rewritten."""

    async def scenario() -> None:
        async with ships(tmp_path) as (system, shipped):
            await all_sealed(system)
            copy = back_up(system, "t0")
            await goes_on(system, shipped)
            await restore(system, copy)
            await red(system)
            now = await goes_on(system, shipped, rows=50)
            await acknowledge(system)
            await all_sealed(system)
            assert await wrong(system.directory, *now.values()) == ["rewritten"]
            newest = checkpoint(now[max(now)])
            said = msgspec.json.decode(newest.checkpoint, type=Checkpoint)
            forged = sign_checkpoint(system.own, said.size, bytes(32), 1)
            found = await wrong(system.directory, *now.values(), msgspec.json.encode(forged))
            assert found == ["rewritten", "rewritten"]

    run(scenario())


def test_a_file_of_other_content_is_never_replaced_and_an_empty_one_is_filled(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ships(tmp_path) as (system, shipped):
            await goes_on(system, shipped)
            [(name, content)] = list(files(shipped).items())[-1:]
            path = shipped / name
            for held, then in ((b"", content), (content[:40], content[:40]), (content, content)):
                path.write_bytes(held)
                await system.restart()
                await all_sealed(system)
                signed = checkpoint(content)
                if held == content[:40]:
                    with pytest.raises(FileExistsError, match="something else"):
                        shipping.write(shipped, signed)
                    assert (await doctor(system)).status == "warning"
                else:
                    shipping.write(shipped, signed)
                assert path.read_bytes() == then
                await green(system)
            assert not [name for name in files(shipped) if name.startswith(".")]
            size = msgspec.json.decode(checkpoint(content).checkpoint, type=Checkpoint).size
            shipping.write(shipped, sign_checkpoint(system.own, size, bytes(32), 1))
            assert len([name for name in files(shipped) if f"{size:012d}" in name]) == 2
            assert path.read_bytes() == content

    run(scenario())


def test_several_servers_and_several_systems_ship_to_one_directory(tmp_path: Path) -> None:
    async def scenario() -> None:
        shipped = tmp_path / "shipped"
        shipped.mkdir()
        async with two_systems(tmp_path) as systems:
            shippers = [
                Shipper(system.house, system.store, system.own, shipped)
                for system in systems
                for _ in range(2)
            ]
            for system in systems:
                await system.server._supervisor.stop()
                await seal.seal(system.house, system.store, system.own)
            for _ in range(2):
                await asyncio.gather(*(shipper.ship() for shipper in shippers))
                for shipper in shippers:
                    shipper.look_anew()
            assert len(files(shipped)) == 2
            assert [shipper.forked for shipper in shippers] == [None] * 4

    run(scenario())


def test_what_is_no_checkpoint_of_this_system_stops_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with ships(tmp_path) as (system, shipped):
            genuine = sign_checkpoint(system.own, 10**15, b"\1" * 32, 1)
            faulty = [
                sign_checkpoint(system.own, 10**30, b"\1" * 32, 1),
                sign_checkpoint(system.own, 7, b"\1" * 3, 1),
                msgspec.structs.replace(genuine, checkpoint=genuine.checkpoint.replace("000", "001")),
                msgspec.structs.replace(genuine, signature="a.b.c"),
            ]
            for n, one in enumerate(faulty):
                (shipped / f"checkpoint-{n}.json").write_bytes(msgspec.json.encode(one))
            (shipped / "checkpoint-x.json").write_text("[" * 100_000)
            await goes_on(system, shipped)
            await green(system)
            (shipped / "checkpoint-000000000007.json").write_bytes(msgspec.json.encode(genuine))
            await goes_on(system, shipped)
            await red(system)

    run(scenario())
