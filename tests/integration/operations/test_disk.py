"""A full disk and a database that cannot be written to: refused clearly, nothing acknowledged, reading goes on."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from acmx.bootstrap.backup import backup
from acmx.bootstrap.doctor.doctor import examine
from acmx.bootstrap.keep_keys import keys
from acmx.bootstrap.offline_audit import opened
from acmx.domain.errors import FaultyInput, Misconfigured, TemporarilyUnavailable
from acmx.domain.messages import PROBLEM
from support.systems.systems import FIRE, POLICE, System, eventually, two_systems

pytestmark = pytest.mark.sqlite


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=False, capture_output=True
    )
    if not mounted or mounted.returncode:
        pytest.skip("needs the right to mount a tmpfs")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(folder: Path) -> Path:
    """All that is left, to the last byte."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65_536, 512, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
    return ballast


async def unavailable(police: System, key: str, **changes: Any) -> Any:
    status, problem = await police.submit(key, **changes)
    assert (status, problem["type"]) == (503, PROBLEM + "unavailable"), problem
    return problem["detail"]


async def refused_when_full(police: System) -> int:
    """Until the write-ahead log has no room left; how many were acknowledged until then."""
    for n in range(500):
        status, problem = await police.submit(f"fill {n}")
        if status != 201:
            assert (status, problem["type"], problem["detail"]) == (
                503,
                PROBLEM + "unavailable",
                "The disk is full.",
            )
            return n
    raise AssertionError("the disk never filled")


@pytest.mark.law(1)
async def test_acm1_on_a_full_disk_refuses_and_reads_and_recovers(tmp_path: Path, small_disk: Path) -> None:
    async with two_systems(tmp_path / "systems", start=False) as (police, _):
        moved = System(Path(shutil.copytree(police.directory, small_disk / "police")), police.clock)
        await moved.start()
        try:
            ballast = fill(small_disk)
            acknowledged = await refused_when_full(moved)
            listed = await moved.done("GET", "/requests?limit=1000")
            assert len(listed["items"]) == acknowledged
            ballast.unlink()
            status, accepted = await moved.submit("room again")
            assert status == 201
            await moved.restart()
            assert (await moved.exchange(accepted["id"]))["state"] == "queued"
            assert (await moved.counts("exchange"))["exchange"] == acknowledged + 1
        finally:
            await moved.stop()


@pytest.mark.law(1, 5)
async def test_acm2_on_a_full_disk_acknowledges_nothing_and_takes_it_when_there_is_room(
    tmp_path: Path, small_disk: Path
) -> None:
    async with two_systems(tmp_path / "systems", start=False) as (police, fire):
        moved = System(Path(shutil.copytree(fire.directory, small_disk / "fire")), fire.clock)
        await moved.start()
        await police.start()
        try:
            await eventually(
                lambda: police.done("GET", f"/partners/{FIRE}"), lambda p: "last_success_at" in p
            )
            ballast = fill(small_disk)
            ids = [(await police.submit(str(n)))[1]["id"] for n in range(60)]
            waiting = await eventually(
                lambda: police.done("GET", "/outbox"),
                lambda page: page["items"] and any("last_error" in item for item in page["items"]),
            )
            errors = {item["last_error"] for item in waiting["items"] if "last_error" in item}
            assert all("cannot store anything" in error or "HTTP 503" in error for error in errors), errors
            stored = [id_ for id_ in ids if (await police.exchange(id_))["state"] == "stored"]
            held = {item["id"] for item in (await moved.done("GET", "/requests?limit=1000"))["items"]}
            assert set(stored) <= held
            ballast.unlink()
            police.clock.advance(minutes=16)
            await police.done("POST", "/outbox/retry", {})
            for id_ in ids:
                await police.reaches(id_, "stored")
            assert (await moved.counts("exchange"))["exchange"] == len(ids)
        finally:
            await moved.stop()


@pytest.mark.law(1)
async def test_a_disk_that_became_read_only_refuses_and_reads_and_recovers(
    tmp_path: Path, small_disk: Path
) -> None:
    async with two_systems(tmp_path / "systems", start=False) as (police, _):
        moved = System(Path(shutil.copytree(police.directory, small_disk / "police")), police.clock)
        await moved.start()
        try:
            _, accepted = await moved.submit("before")
            await moved.store.write(lambda tx: tx.execute("PRAGMA query_only = 1"))
            assert await unavailable(moved, "while") == "The database cannot be written to."
            assert (await moved.exchange(accepted["id"]))["state"] == "queued"
            await moved.restart()
            assert (await moved.submit("after"))[0] == 201
        finally:
            await moved.stop()


def damage(system: System, table: str) -> None:
    """The page where the rows of a table begin, overwritten while the server does not run."""
    with apsw.Connection(str(system.directory / "acmx.db")) as connection:
        connection.pragma("wal_checkpoint", "truncate")
        size = connection.pragma("page_size")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    connection.close()
    with (system.directory / "acmx.db").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


async def test_a_damaged_page_is_told_at_both_faces_and_nothing_more_is_written(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, fire):
        damage(fire, "catalogue")
        await police.start()
        await fire.start()
        status, problem = await fire.call("GET", "/server-identities")
        assert (status, problem["type"]) == (503, PROBLEM + "unavailable")
        assert problem["detail"] == "The database is damaged: see acmx doctor, and restore a backup."
        before = await fire.counts("journal", "exchange")
        assert "damaged" in await unavailable(fire, "key", partner=POLICE, users=[f"sip:officer@{FIRE}"])
        _, exchange = await police.submit()
        await eventually(
            lambda: police.rows("SELECT last_error FROM partner"),
            lambda rows: "503" in str(rows[0][0]),
        )
        assert (await police.exchange(exchange["id"]))["state"] == "queued"
        assert await fire.counts("journal", "exchange") == before
        status, _ = await eventually(lambda: ready(fire), lambda found: "writer" in found[1]["failing"])
        assert status == 503
        assert (await ready(police))[0] == 200


async def ready(system: System) -> tuple[int, Any]:
    async with system.http.get(system.url.removesuffix("/acm1/v1") + "/health/ready") as reply:
        return reply.status, await reply.json()


def test_a_damaged_page_is_told_by_every_command_on_the_directory(tmp_path: Path) -> None:
    async def scenario() -> Path:
        async with two_systems(tmp_path, start=False) as (police, _):
            damage(police, "partner")
            damage(police, "journal")
            return police.directory

    directory = asyncio.run(scenario())
    with pytest.raises(Misconfigured, match="malformed"):
        keys(directory)
    with pytest.raises(Misconfigured, match="malformed"), opened(directory) as journal:
        list(journal.rows)
    with pytest.raises(FaultyInput, match="is no sound database"):
        backup(directory, tmp_path / "saved")
    assert not (tmp_path / "saved").exists()
    said = [finding for finding in examine(directory).items if finding.name == "database"]
    assert {finding.status for finding in said} == {"failed"}


@pytest.mark.parametrize("table", ["partner", "published", "journal"])
async def test_a_server_does_not_start_on_a_damaged_page(tmp_path: Path, table: str) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        damage(police, table)
        with pytest.raises(TemporarilyUnavailable, match="damaged"):
            await police.start()
        await police.store.close()
