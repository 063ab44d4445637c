"""The synchronous standby is away: nothing is acknowledged before it has confirmed, and nobody waits for ever."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bench.postgres_pair import Pair

from acmx.domain.errors import TemporarilyUnavailable
from acmx.storage.engines import postgres_writer
from support.partner.by_hand import ByHand
from support.systems.estate import BOUNDED, estate, keep, kept, store_on, waits_for_the_standby
from support.systems.systems import FIRE, POLICE, eventually

pytestmark = [pytest.mark.postgres, pytest.mark.law(1)]
DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
COMMIT_S = postgres_writer.COMMIT_S
GERMAN = "de_DE.UTF-8"


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    """A COMMIT waits for the standby no longer than this."""
    monkeypatch.setattr(postgres_writer, "COMMIT_S", 1.0)


@pytest.fixture(params=["pg_cancel_backend", "pg_terminate_backend"])
def ended_by(request):
    """What an administrator does who sees a process wait."""
    return request.param


async def _no_acknowledgement(pair, store, ended_by):
    """Of a wait that was ended; afterwards everything is as it was before."""
    assert await store.write(keep(1)) == 1
    pair.hold()
    writing = asyncio.create_task(store.write(keep(2)))
    pair.primary.ask(f"SELECT {ended_by}({await waits_for_the_standby(pair)})")
    with pytest.raises(TemporarilyUnavailable, match="standby"):
        await asyncio.wait_for(writing, BOUNDED)
    assert kept(pair) == [1, 2], "it is there, and the standby does not have it"
    with pytest.raises(TemporarilyUnavailable, match="standby"):
        await asyncio.wait_for(store.write(lambda tx: tx.rows("SELECT k FROM kept")), BOUNDED)
    pair.let_go()
    assert await store.write(keep(3)) == 3
    assert kept(pair) == [1, 2, 3]


async def test_a_wait_that_an_administrator_ended_is_no_acknowledgement(pair, tmp_path, ended_by):
    async with store_on(pair, tmp_path) as store:
        await _no_acknowledgement(pair, store, ended_by)


@pytest.mark.skipif(not DEBIAN or not shutil.which("localedef"), reason="no PostgreSQL that speaks German")
def test_nor_is_one_whose_warning_is_in_another_language(tmp_path):
    async def scenario(pair):
        async with store_on(pair, tmp_path) as store:
            assert pair.primary.ask("SHOW lc_messages") == [(GERMAN,)]
            await _no_acknowledgement(pair, store, "pg_cancel_backend")

    # The folder of a test is its owner's alone, and PostgreSQL is another user.
    with Pair(synchronous=True, programs=DEBIAN[-1]) as pair:
        subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", pair.folder / GERMAN], check=True)
        for cluster in pair.clusters:
            cluster.stop()
            cluster.environment = {"LOCPATH": str(pair.folder)}
            cluster.start()
        pair.caught_up()
        for cluster in pair.clusters:
            cluster.set(lc_messages=GERMAN)
        asyncio.run(scenario(pair))


async def test_writes_are_refused_in_a_bounded_time_and_no_server_is_stalled(pair, tmp_path):
    async with estate(pair, tmp_path, servers=2) as (police, twin, fire):
        pair.standby.crash()
        async with asyncio.timeout(BOUNDED):
            answers = await asyncio.gather(police.submit("one"), twin.submit("two"))
        assert [(status, answer["title"]) for status, answer in answers] == [
            (503, answers[0][1]["title"])
        ] * 2
        assert (await twin.call("GET", f"/partners/{FIRE}"))[0] == 200, "who only reads waits for nobody"
        pair.standby.start()
        for system, key in ((police, "one"), (twin, "two")):
            accepted = await eventually(lambda: system.submit(key), lambda said: said[0] in (200, 201))  # noqa: B023
            await system.reaches(accepted[1]["id"], "stored")
        assert len((await fire.done("GET", "/requests"))["items"]) == 2


@pytest.mark.slow
def test_how_long_it_takes_until_a_write_is_refused(pair, tmp_path, monkeypatch):
    """What docs/postgresql.md says of it, with the limits that a server has."""
    monkeypatch.setattr(postgres_writer, "COMMIT_S", COMMIT_S)
    taken = []

    async def submits(system, name):
        for n in range(3):
            begun = time.monotonic()
            status, _ = await system.submit(f"{name} {n}")
            taken.append((time.monotonic() - begun, status))

    async def scenario():
        async with estate(pair, tmp_path, servers=2) as (police, twin, _fire):
            pair.standby.crash()
            await asyncio.gather(
                *(submits(s, f"{s.directory.name} {k}") for s in (police, twin) for k in range(2))
            )

    asyncio.run(scenario())
    slowest = max(seconds for seconds, _ in taken)
    sys.stdout.write(f"refused after {min(taken)[0]:.1f} to {slowest:.1f} s\n")
    assert {status for _, status in taken} == {503}
    assert slowest < 2 * COMMIT_S + 1.5


@pytest.mark.law(3)
async def test_a_repeated_key_is_not_answered_by_a_commit_that_is_not_confirmed(pair, tmp_path):
    async with estate(pair, tmp_path) as (police, _fire):
        pair.hold()
        for _ in range(2):
            status, answer = await asyncio.wait_for(police.submit("this key"), BOUNDED)
            assert status == 503, answer
        assert pair.primary.ask("SELECT count(*) FROM exchange") == [(1,)], "it is there"
        pair.fail_over()
        assert pair.primary.ask("SELECT count(*) FROM exchange") == [(0,)]
        _, accepted = await eventually(lambda: police.submit("this key"), lambda said: said[0] in (200, 201))
        await police.reaches(accepted["id"], "stored")
        assert pair.primary.ask("SELECT id FROM exchange") == [(accepted["id"],)]


@pytest.mark.law(3)
async def test_a_partner_is_told_nothing_that_rests_on_a_commit_that_is_not_confirmed(pair, tmp_path):
    """Neither when it repeats its message, nor when it compares."""

    async with estate(pair, tmp_path) as (police, fire):
        await fire.stop()
        partner = ByHand.of(fire)
        message = partner.request(police)
        id_ = message["exchange"]
        pair.hold()
        for _ in range(2):
            answer = await asyncio.wait_for(partner.put(police, message), BOUNDED)
            assert (answer.status, answer.problem) == (503, "unavailable"), answer
        assert pair.primary.ask("SELECT id FROM exchange") == [(id_,)], "it is there"
        async with partner.connected(police) as http:
            for path in (
                "exchanges?since=2026-11-01T00:00:00Z",
                f"exchanges/{FIRE}/{id_}/messages/primary/1",
            ):
                async with http.get(f"{police.acm2}/{path}") as reply:
                    assert reply.status == 503, await reply.read()
        pair.fail_over()
        assert pair.primary.ask("SELECT id FROM exchange") == []
        answer = await eventually(lambda: partner.put(police, message), lambda said: said.status != 503)
        assert answer.typ == "acm-receipt"
        assert pair.primary.ask("SELECT id FROM exchange") == [(id_,)]


async def test_where_a_standby_is_required_nothing_is_acknowledged_without_one(pair, tmp_path):
    async with estate(pair, tmp_path, require_synchronous=True) as (police, _fire):
        assert (await police.submit("one"))[0] == 201
        pair.primary.set(synchronous_standby_names="")
        status, answer = await police.submit("two")
        assert (status, "standby" in answer["detail"]) == (503, True), answer
        pair.primary.set(synchronous_standby_names="standby")
        await eventually(lambda: police.submit("two"), lambda said: said[0] in (200, 201))
        pair.primary.ask("ALTER ROLE postgres SET synchronous_commit = 'local'")
        pair.way.cut()
        status, answer = await police.submit("three")
        assert (status, "standby" in answer["detail"]) == (503, True), answer
        pair.primary.ask("ALTER ROLE postgres RESET synchronous_commit")
        pair.way.cut()
        await eventually(lambda: police.submit("three"), lambda said: said[0] in (200, 201))


async def test_a_standby_that_is_named_again_and_not_waited_for_yet_is_no_confirmation(pair, tmp_path):
    """Until the checkpointer has heard of the name, PostgreSQL waits for nobody and says nothing of it."""
    checkpointer = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"

    async with store_on(pair, tmp_path, require_synchronous=True) as store:
        assert await store.write(keep(1)) == 1
        pair.primary.set(synchronous_standby_names="")
        with pytest.raises(TemporarilyUnavailable, match="required"):
            await store.write(keep(2))
        ((pid,),) = pair.primary.ask(checkpointer)
        os.kill(pid, signal.SIGSTOP)
        try:
            pair.primary.set(synchronous_standby_names="standby")
            pair.hold()
            with pytest.raises(TemporarilyUnavailable, match="required"):
                await asyncio.wait_for(store.write(keep(3)), BOUNDED)
        finally:
            os.kill(pid, signal.SIGCONT)
            pair.let_go()
        assert await store.write(keep(4)) == 4


def test_a_suspension_that_is_not_confirmed_is_not_told_to_the_partner(pair, tmp_path):
    async def scenario():
        async with estate(pair, tmp_path) as (police, fire):
            pair.hold()
            path, why = f"/partners/{FIRE}/suspension", {"reason": "an exercise"}
            assert (await police.call("POST", path, why))[0] == 503
            police.server._links.wake()
            await eventually(lambda: failed_loops(police), lambda loops: FIRE in loops, time_passes=False)
            assert (await fire.done("GET", f"/partners/{POLICE}"))["state_there"] == "accepted"
            pair.let_go()
            await eventually(
                lambda: fire.done("GET", f"/partners/{POLICE}"), lambda row: row["state_there"] == "suspended"
            )

    async def failed_loops(police):
        return [loop.of for loop in police.server._supervisor.loops if loop.failure is not None]

    asyncio.run(scenario())
