"""Jobs that put documents on the CMS: interrupted, cancelled, outlived, and in the end forgotten."""

import asyncio
from pathlib import Path

import pytest

from acmx.domain.messages import PROBLEM
from acmx.flows.evidence import purge
from integration.provisioning.test_provisioning import answered
from integration.provisioning.test_xcap import (
    SERVICES,
    USERS,
    carried_out,
    ended,
    look,
    of_fire,
    rows,
    start,
    with_cms,
)
from support.systems.systems import POLICE, System, eventually


async def test_a_start_does_not_wait_for_the_back_off(tmp_path: Path) -> None:
    async with with_cms(tmp_path) as (police, fire, cms):
        cms.faults.silent = True
        job = await start(police, await answered(police, fire, users=USERS))
        await eventually(lambda: look(police, job), lambda found: "last_error" in found)
        cms.faults.silent = False
        await police.restart()
        found = await eventually(lambda: look(police, job), lambda found: found["state"] == "done")
        assert found["counts"] == {"written": 7}


async def test_killed_in_the_middle_it_goes_on_and_every_row_ends_once(tmp_path: Path) -> None:
    async with with_cms(tmp_path, at_a_time=2) as (police, fire, cms):
        users = [f"sip:officer.{n}@{POLICE}" for n in range(60)]
        cms.put_profiles(users, *SERVICES)
        cms.faults.slow = 0.004
        id_ = await answered(police, fire, users=users)
        job = await start(police, id_)
        for written in (20, 60):
            await eventually(
                lambda: look(police, job), lambda found, n=written: found["counts"].get("written", 0) >= n
            )
            await crash(police)
            await police.start()
        found = await ended(police, job)
        counts = found["counts"]
        assert sum(counts.values()) == 121
        assert set(counts) <= {"written", "unchanged"}
        assert counts.get("unchanged", 0) <= 16
        assert set(cms.written().values()) == {1}
        assert len(cms.written()) == 121


async def crash(system: System) -> None:
    """The server's loops are gone at once; what is on its way is cut."""
    await system.server._supervisor.stop()
    await system.http.close()
    await system.server.stop()


async def test_cancelled_what_is_on_its_way_ends_and_the_rest_is_not_begun(tmp_path: Path) -> None:
    async with with_cms(tmp_path, at_a_time=2) as (police, fire, cms):
        cms.faults.gate = asyncio.Event()
        id_ = await answered(police, fire, users=USERS)
        job = await start(police, id_)

        async def under_way() -> int:
            return cms.under_way

        await eventually(under_way, lambda n: n == 2)
        status, problem = await police.call("POST", f"/requests/{id_}/provisionings", {"mode": "preview"})
        assert (status, problem["type"]) == (409, PROBLEM + "not-now")
        cancelled = await police.done("POST", f"/provisionings/{job}/cancellation")
        assert cancelled["state"] == "cancelled"
        cms.faults.gate.set()
        found = await eventually(lambda: look(police, job), lambda found: found["counts"].get("written") == 2)
        assert found["counts"] == {"waiting": 5, "written": 2}
        assert len(cms.written()) == 2
        assert (await police.done("POST", f"/provisionings/{job}/cancellation"))["state"] == "cancelled"
        assert (await carried_out(police, id_))["counts"] == {"unchanged": 2, "written": 5}
        events = [e["event"] for e in (await police.exchange(id_))["journal"]]
        assert "provisioning-cancelled" in events


async def test_stopped_gracefully_it_goes_on_at_the_next_start(tmp_path: Path) -> None:
    async with with_cms(tmp_path, at_a_time=1) as (police, fire, cms):
        cms.faults.slow = 0.02
        job = await start(police, await answered(police, fire, users=USERS))
        await eventually(lambda: look(police, job), lambda found: found["counts"].get("written", 0) >= 1)
        await police.restart()
        assert (await ended(police, job))["counts"] == {"written": 7}


async def test_an_approval_that_ends_stops_the_push_and_entries_can_still_be_removed(tmp_path: Path) -> None:
    async with with_cms(tmp_path) as (police, fire, cms):
        until = f"{police.clock().replace(day=28):%Y-%m-%dT%H:%M:%SZ}"
        id_ = await answered(police, fire, users=USERS, valid_until=until)
        await carried_out(police, id_)
        cms.faults.silent = True
        stuck = await start(police, id_)
        await eventually(lambda: look(police, stuck), lambda found: "last_error" in found)
        police.clock.advance(days=6)
        await police.tick()
        await eventually(lambda: police.exchange(id_), lambda e: e["grant"] == "ended")
        found = await ended(police, stuck)
        assert (found["state"], found["last_error"]) == ("cancelled", "the approval is ended")
        [by] = [
            e["actor"]
            for e in (await police.exchange(id_))["journal"]
            if e["event"] == "provisioning-cancelled"
        ]
        assert by == "provisioner"
        status, _ = await police.call("POST", f"/requests/{id_}/provisionings", {"mode": "push"})
        assert status == 409
        cms.faults.silent = False
        assert (await carried_out(police, id_, "remove"))["counts"] == {"written": 7}
        assert not any(of_fire(cms, s, u) for s in SERVICES for u in USERS)


@pytest.mark.slow
async def test_two_thousand_users(tmp_path: Path) -> None:
    async with with_cms(tmp_path) as (police, fire, cms):
        users = [f"sip:officer.{n}@{POLICE}" for n in range(2000)]
        cms.put_profiles(users, *SERVICES)
        id_ = await answered(police, fire, users=users)
        job = await ended(police, await start(police, id_), within=120)
        assert job["counts"] == {"written": 4001}
        assert set(cms.written().values()) == {1}


async def test_rows_of_a_job_go_at_the_end_of_their_retention_and_its_summary_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purge, "ROWS_AT_ONCE", 5)

    async with with_cms(tmp_path) as (police, fire, _):
        id_ = await answered(police, fire, users=USERS)
        job = (await carried_out(police, id_))["id"]

        async def purged(*, dry_run: bool = False) -> tuple[int, bool]:
            done = await police.done("POST", "/purge", {"dry_run": dry_run}, account="operator")
            return done["rows"], done["more"]

        async def goes_on(days: int) -> None:
            police.clock.advance(days=days)
            await police.done("POST", "/clock/confirmation")

        await goes_on(729)
        before = await look(police, job)
        assert await purged() == (0, False)
        await goes_on(2)
        younger = (await carried_out(police, id_))["id"]
        assert await purged(dry_run=True) == (7, False)
        assert [await purged(), await purged(), await purged()] == [(5, True), (2, False), (0, False)]
        assert await look(police, job) == before
        assert (before["counts"], await rows(police, job)) == ({"written": 7}, [])
        assert await police.rows(f"SELECT document FROM provisioning WHERE id = '{job}'") == [(None,)]
        assert len(await rows(police, younger)) == 7
        told = [e["detail"] for e in (await police.exchange(id_))["journal"] if e["event"] == "purged"]
        assert [(row["job"], row["rows"]) for row in told] == [(job, 5), (job, 2)]
