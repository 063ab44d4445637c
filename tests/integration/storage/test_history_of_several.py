"""PostgreSQL: several servers on a database that goes back to what it was, or is pruned; what leads to a former one."""

import asyncio

import pytest
from bench.postgres_proxy import Fault, PostgresProxy

from acmx.domain.errors import Misconfigured
from acmx.storage.engine import InCharge
from acmx.storage.engines import postgres_history, postgres_offline, postgres_peers, postgres_writer
from support.systems import engines
from support.systems.histories import Copies, wait_for_standbys
from support.systems.plans import together
from support.systems.systems import eventually
from support.systems.taking import SCHEMA, ask, insert, keys, refused, run

PRUNE = "DELETE FROM batch WHERE serial NOT IN (SELECT MAX(serial) FROM batch GROUP BY process)"

pytestmark = pytest.mark.postgres


@pytest.fixture
def url():
    url = engines.make()
    postgres_offline.migrate(url, SCHEMA)
    yield url
    engines.drop(url)


@pytest.fixture
def seen(tmp_path):
    return tmp_path / "database-seen"


# What is pruned by another server is not lost.


@pytest.mark.law(1)
def test_a_start_after_a_crash_and_after_others_have_pruned_takes_nothing_for_lost(url, seen):
    async def crashes(stores):
        store = await stores.open(url, seen=seen)
        await store.write(insert(0))
        held.append(seen.read_bytes())
        await store.write(insert(1))

    async def prunes(stores):
        other = await stores.open(url)
        await other.write(lambda tx: tx.execute(PRUNE))

    async def starts(stores):
        store = await stores.open(url, seen=seen)
        assert await store.write(insert(2)) == 2
        assert store.changes == []

    held = []
    run(crashes)
    seen.write_bytes(held[0])
    run(prunes)
    run(starts)


@pytest.mark.law(1)
def test_nor_does_a_server_whose_newest_commit_is_not_confirmed_yet(url, monkeypatch):
    monkeypatch.setattr(postgres_writer, "COMMIT_S", 0.3)

    async def scenario(stores):
        store = await stores.open(url)
        await store.write(insert(0))
        wait_for_standbys("nobody")
        try:
            assert refused(await together(store, insert(1)), "does not confirm")
        finally:
            wait_for_standbys("")
        ask(url, PRUNE)
        assert await store.write(insert(2)) == 2
        assert store.changes == []

    run(scenario)


def test_what_is_lost_is_noticed_though_another_has_pruned(url, seen):
    copies = Copies(url)

    async def crashes(stores):
        store = await stores.open(url, seen=seen)
        await store.write(insert(0))
        copies.keep()
        await store.write(insert(1))

    async def prunes(stores):
        other = await stores.open(url)
        await other.write(lambda tx: tx.execute(PRUNE))

    async def starts(stores):
        store = await stores.open(url, seen=seen)
        await store.write(insert(2))
        (change,) = store.changes
        assert (change.lost, change.first) == (True, True)

    run(crashes)
    copies.put_back()
    run(prunes)
    run(starts)


# Once for the database.


async def _lost_by_both(url, stores):
    """Two servers, of which each has acknowledged what the copy does not have, put back on the same timeline."""
    copies = Copies(url)
    one, other = await stores.open(url), await stores.open(url)
    await one.write(insert(0))
    copies.keep()
    await one.write(insert(1))
    await other.write(insert(2))
    copies.put_back()
    return copies, one, other


async def _taken_in(store):
    (result,) = await together(store, lambda _tx: None)
    assert refused([result], "has failed over")
    return store.changes[-1]


def test_a_copy_put_back_on_the_same_timeline_is_compared_once_for_the_database(url):
    async def scenario(stores):
        copies, one, other = await _lost_by_both(url, stores)
        assert [(await _taken_in(store)).first for store in (one, other)] == [True, False]
        assert all(change.lost for store in (one, other) for change in store.changes)
        copies.keep()
        await one.write(insert(3))
        await other.write(insert(4))
        copies.put_back()
        assert [(await _taken_in(store)).first for store in (other, one)] == [True, False]

    run(scenario)


def test_a_copy_from_before_the_last_change_is_another_one(url):
    async def scenario(stores):
        copies, one, other = await _lost_by_both(url, stores)
        copies.keep()
        assert [(await _taken_in(store)).first for store in (one, other)] == [True, False]
        late = await stores.open(url)
        await late.write(insert(5))
        copies.put_back()
        assert [(await _taken_in(store)).first for store in (late, one, other)] == [True, False, False]

    run(scenario)


def test_whoever_writes_and_takes_nothing_in_takes_the_comparison_from_nobody(url):
    async def scenario(stores):
        one = await stores.open(url)
        await one.write(insert(0))
        one._history.timeline -= 1
        other = await stores.open(url)
        await other.write(insert(1))
        assert (await _taken_in(one)).first

    run(scenario)


def test_a_store_whose_owner_takes_nothing_in_writes_nothing_to_another_history(url):
    async def scenario(stores):
        copies = Copies(url)
        store = await stores.open(url, nobody=True)
        copies.keep()
        await store.write(insert(0))
        copies.put_back()
        for _ in range(2):
            assert refused(await together(store, insert(1)), "has failed over")
        assert ask(url, "SELECT k FROM entry") == []

    run(scenario)


# What leads to a former primary.


def readers(url):
    return {
        pid
        for (pid,) in ask(
            url,
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'acmx' "
            "AND pid <> pg_backend_pid()",
        )
    }


def test_connections_from_before_another_history_are_used_no_more(url):
    async def scenario(stores):
        store = await stores.open(url)
        await store.write(insert(0))
        idle = readers(url)
        entered, leave = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def look(tx):
            (pid,) = tx.row("SELECT pg_backend_pid()")
            loop.call_soon_threadsafe(entered.set)
            asyncio.run_coroutine_threadsafe(leave.wait(), loop).result(30)
            return pid

        reading = asyncio.create_task(store.read(look))
        await entered.wait()
        entered.clear()
        second = asyncio.create_task(store.read(look))
        await entered.wait()
        assert await store.read(keys) == [0]
        former = readers(url)
        assert (len(former), former >= idle) == (3, True)
        store._history.timeline -= 1
        await _taken_in(store)
        await eventually(lambda: readers(url), lambda left: len(left) == 2)
        leave.set()
        assert {await reading, await second} < former
        assert await store.read(lambda tx: tx.row("SELECT pg_backend_pid()")[0]) not in former
        assert readers(url).isdisjoint(former)

    run(scenario)


def test_whoever_is_in_charge_is_so_no_more_at_a_former_primary(url, monkeypatch):
    monkeypatch.setattr(postgres_peers, "POLL", 0.05)

    async def scenario(stores):
        store, told = await stores.open(url), []
        store.on_commit(told.extend)
        await eventually(lambda: told.count(InCharge()), lambda n: n == 1)
        store._history.timeline -= 1
        await eventually(lambda: told.count(InCharge()), lambda n: n == 2)

    run(scenario)


@pytest.mark.law(1)
def test_of_several_hosts_one_that_is_a_former_primary_is_passed_over(url, seen, monkeypatch):
    """Both lead to the same server here; what the first one says of its timeline is not so."""
    with PostgresProxy(url) as former, PostgresProxy(url) as today:
        both = today.url.replace("host=127.0.0.1", "host=127.0.0.1,127.0.0.1").replace(
            f"port={today.port}", f"port={former.port},{today.port}"
        )
        asked = postgres_history.require

        def require(connection, found, before):
            behind = connection.info.port == former.port
            asked(connection, (found[0], found[1] - behind), before)

        async def begins(stores):
            await (await stores.open(today.url, seen=seen)).write(insert(0))

        async def goes_on(stores):
            store = await stores.open(both, seen=seen)
            store.on_commit(lambda _: None)
            assert await store.write(insert(1)) == 1
            assert await store.read(keys) == [0, 1]
            await eventually(lambda: store.in_charge, bool)
            today.go_away()
            former.fault = Fault.NONE
            assert refused(await together(store, insert(2)), "former primary")

        async def alone(stores):
            with pytest.raises(
                Misconfigured, match=rf"127.0.0.1:{former.port} is system .*leave it out of the URL"
            ):
                await stores.open(both, seen=seen)

        run(begins)
        monkeypatch.setattr(postgres_history, "require", require)
        run(goes_on)
        run(alone)


# A table that somebody has emptied.


def test_an_emptied_table_of_batches_is_told_and_made_good_by_acmx_migrate(url, seen):
    async def emptied(stores):
        store = await stores.open(url, seen=seen)
        await store.write(insert(0))
        ask(url, "TRUNCATE batch")
        for _ in range(2):
            assert refused(await together(store, insert(1)), "run acmx migrate")

    async def again(stores):
        store = await stores.open(url, seen=seen)
        assert await store.write(insert(2)) == 2
        (change,) = store.changes
        assert (change.lost, change.first) == (True, True)
        assert await store.read(keys) == [0, 2]

    run(emptied)
    with pytest.raises(Misconfigured, match="run acmx migrate"):
        run(again)
    assert postgres_offline.migrate(url, SCHEMA) == 1
    run(again)
