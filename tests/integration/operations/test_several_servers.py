"""Several servers of one MC system on one PostgreSQL database: every thing is done once, and everybody hears of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from acmx.domain.moments import to_ms
from acmx.storage.engines import postgres_peers
from acmx.storage.exchange.outbox import Outgoing
from integration.provisioning.test_provisioning import answered
from integration.provisioning.test_xcap import SERVICES, USERS, ended, start, with_cms
from support.sinks.streams import hint, stream
from support.systems.systems import FIRE, PASSWORD, System, Two, eventually, two_systems
from support.systems.twins import twin_of

Rows = list[tuple[Any, ...]]
HOLDER = "SELECT lease_owner FROM partner"


pytestmark = pytest.mark.postgres


@asynccontextmanager
async def three(tmp: Path) -> AsyncIterator[tuple[System, System, System]]:
    """The police, another server of theirs, and the fire service; the first one sends to the fire service."""
    async with two_systems(tmp) as (police, fire):
        await eventually(lambda: police.done("GET", f"/partners/{FIRE}"), lambda p: "last_success_at" in p)
        async with twin_of(police) as twin:
            yield police, twin, fire


def in_charge(*systems: System) -> list[bool]:
    return [system.store.in_charge for system in systems]


async def by_itself(system: System, sql: str, is_so: Callable[[Rows], bool]) -> None:
    """Though nobody wakes a link, and the clock stands still."""
    await eventually(lambda: system.rows(sql), is_so, time_passes=False)


async def log_on(system: System, password: str) -> tuple[int, Any]:
    document = {"account": "reviewer", "password": password}
    return await system.call("POST", "/sessions", document, account=None)


@pytest.mark.law(8)
async def test_a_person_is_told_by_the_server_that_has_the_stream_whichever_did_it(tmp_path: Path) -> None:
    async with (
        two_systems(tmp_path) as (police, fire),
        twin_of(fire) as twin,
        stream(twin, "reviewer") as there,
        stream(fire, "reviewer") as here,
    ):
        for notices in (here, there):
            assert await notices.block() == hint(fire, "reviewer")
        _, accepted = await police.submit()
        for notices in (here, there):
            assert await notices.block() == hint(fire, "reviewer")
        await police.reaches(accepted["id"], "stored")
        assert (await twin.review(accepted["id"]))[0] == 200
        await police.reaches(accepted["id"], "answered")


@pytest.mark.law(6)
async def test_the_queue_of_a_partner_is_leased_by_one_and_given_up_by_who_stops(tmp_path: Path) -> None:
    async with three(tmp_path) as (police, twin, _fire):
        first = await police.rows(HOLDER)
        _, accepted = await twin.submit()
        await twin.reaches(accepted["id"], "stored")
        assert await police.rows(HOLDER) == first
        await police.stop()
        await by_itself(twin, HOLDER, lambda rows: rows not in (first, [(None,)]))
        _, accepted = await twin.submit("another")
        await twin.reaches(accepted["id"], "stored")


@pytest.mark.law(6)
async def test_the_lease_of_a_server_that_died_runs_out(tmp_path: Path) -> None:
    async with three(tmp_path) as (police, twin, _fire):
        first = await police.rows(HOLDER)
        await police.server._supervisor.stop()
        _, left = await twin.submit()
        for _turn in range(50):
            await twin.store.write(lambda tx: tx.signal(Outgoing(FIRE)))
        [message] = (await twin.done("GET", "/outbox"))["items"]
        assert message["attempts"] == 0
        police.clock.advance(seconds=61)  # type: ignore[attr-defined]
        await twin.nudge(FIRE)
        await twin.reaches(left["id"], "stored")
        assert await twin.rows(HOLDER) != first


async def test_the_next_server_on_a_directory_need_not_wait_for_the_lease_of_the_one_that_died(
    systems: Two,
) -> None:
    police, _fire = systems
    await eventually(lambda: police.done("GET", f"/partners/{FIRE}"), lambda p: "last_success_at" in p)
    [(owner,)] = await police.rows(HOLDER)
    await police.stop()
    store = police.open_store()
    lease = "UPDATE partner SET lease_owner = :owner, lease_until = :until"
    until = to_ms(police.clock()) + 60_000
    await store.write(lambda tx: tx.execute(lease, {"owner": owner, "until": until}))
    await store.close()
    await police.start()
    _, accepted = await police.submit()
    await police.reaches(accepted["id"], "stored")
    assert await police.rows(HOLDER) != [(owner,)]


async def test_what_a_server_that_starts_has_to_compare_is_compared_by_the_one_that_sends(
    tmp_path: Path,
) -> None:
    async with three(tmp_path) as (_police, twin, _fire):
        reason = "SELECT comparison_reason FROM partner"
        await by_itself(twin, reason, lambda rows: rows == [(None,)])


async def test_one_is_in_charge_and_what_falls_due_is_done_once(tmp_path: Path) -> None:
    async with three(tmp_path) as (police, twin, fire):
        _, accepted = await police.submit()
        await fire.stop()
        await eventually(lambda: in_charge(police, twin), lambda found: sum(found) == 1)
        police.clock.advance(days=60)  # type: ignore[attr-defined]
        await twin.reaches(accepted["id"], "overdue")
        rows = (await twin.done("GET", "/audit?limit=1000"))["items"]
        assert [row["event"] for row in rows].count("expired") == 1
        chief, other = (police, twin) if police.store.in_charge else (twin, police)
        await chief.stop()
        await eventually(lambda: in_charge(other), lambda found: found == [True])
        unsealed = "SELECT COUNT(*) FROM journal WHERE number IS NULL"
        await other.submit("later")
        await eventually(lambda: other.rows(unsealed), lambda rows: rows == [(0,)])


async def test_every_document_is_put_on_the_cms_by_one_of_them_and_another_goes_on_when_it_stops(
    tmp_path: Path,
) -> None:
    async with with_cms(tmp_path) as (police, fire, cms):
        id_ = await answered(police, fire, users=USERS)
        cms.faults.gate = asyncio.Event()
        async with twin_of(police) as twin:
            assert in_charge(police, twin) == [True, False]
            job = await start(twin, id_)
            await eventually(lambda: len(cms.log), lambda count: count > 0)
            cms.faults.gate.set()
            stopping = asyncio.create_task(police.stop())
            done = await ended(twin, job)
            await stopping
            assert done["state"] == "done"
            counts = cms.written()
            assert len(counts) == len(USERS) * len(SERVICES) + 1
            assert set(counts.values()) == {1}


async def test_sessions_unlocking_and_idempotency_are_everywhere_the_same(tmp_path: Path) -> None:
    async with three(tmp_path) as (police, twin, _fire):
        _, session = await log_on(police, PASSWORD)
        assert (await twin.call("GET", "/pending", account=session["token"]))[0] == 200
        await twin.call("DELETE", "/session", account=session["token"])
        assert (await police.call("GET", "/pending", account=session["token"]))[0] == 401
        assert {(await log_on(police, "wrong"))[0] for _ in range(5)} == {401}
        assert (await log_on(police, PASSWORD))[0] == 429
        await twin.done("POST", "/accounts/reviewer/unlocking")
        await eventually(lambda: log_on(police, PASSWORD), lambda said: said[0] == 201)
        said = await asyncio.gather(*(one.submit("same") for one in (police, twin) * 3))
        assert len({answer["id"] for _, answer in said}) == 1
        assert (await police.counts("exchange"))["exchange"] == 1


async def test_a_partner_that_is_removed_at_one_server_is_cut_off_at_every_other(tmp_path: Path) -> None:
    async with three(tmp_path) as (police, twin, _fire):
        assert twin.server._peers._by_fingerprint
        await police.done("POST", f"/partners/{FIRE}/removal", {"reason": "agreement 7 ended"})
        await eventually(lambda: twin.server._peers._by_fingerprint, lambda found: not found)


async def test_without_a_single_notification_a_person_is_told_two_seconds_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acmx.storage.engines.postgres.NOTIFY", "SELECT 1")
    monkeypatch.setattr(postgres_peers, "POLL", 0.1)

    async with (
        two_systems(tmp_path) as (police, fire),
        twin_of(fire) as twin,
        stream(twin, "reviewer") as there,
    ):
        assert await there.block() == hint(fire, "reviewer")
        await police.submit()
        assert await there.block() == hint(fire, "reviewer")
