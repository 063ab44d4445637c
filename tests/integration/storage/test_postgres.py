"""PostgreSQL: who is told what, and when; several processes; a database that goes away."""

import asyncio
import sys
import threading
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from bench.postgres_proxy import Fault, PostgresProxy

from acmx.domain.errors import Misconfigured, OutcomeStands, TemporarilyUnavailable
from acmx.storage.engine import InCharge
from acmx.storage.engines import group_commit, postgres_connection, postgres_offline, postgres_schema
from acmx.storage.engines.postgres import PostgresStore
from acmx.storage.exchange.outbox import Outgoing
from acmx.storage.migrations import Migration, done, load
from support.systems import engines
from support.systems.plans import together
from support.systems.systems import eventually, turns

SCHEMA = [
    Migration(
        1,
        "CREATE TABLE entry (serial INTEGER PRIMARY KEY, k BIGINT NOT NULL, body BLOB);"
        "CREATE TABLE tally (n BIGINT NOT NULL); INSERT INTO tally VALUES (0)",
    )
]
GATE = 7
HELD = f"""
    CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
      PERFORM pg_advisory_xact_lock_shared({GATE}); RETURN NULL; END';
    CREATE CONSTRAINT TRIGGER gate AFTER INSERT ON entry DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION gate()
"""
"""A COMMIT waits for whoever holds the gate."""


pytestmark = pytest.mark.postgres


@pytest.fixture(autouse=True)
def _batches_of_any_length(monkeypatch):
    monkeypatch.setattr(group_commit, "perf_counter", lambda: 0.0)


@pytest.fixture(scope="module")
def pattern():
    url = engines.make()
    with postgres_offline.connected(url) as connection:
        postgres_schema.migrate(connection, SCHEMA)
        connection.execute(HELD)
    return url


@pytest.fixture
def url(pattern):
    url = engines.make(pattern)
    yield url
    engines.drop(url)


def in_stores(*urls, count=1):
    def run(scenario):
        async def opened():
            stores = [PostgresStore.open(url, migrations=SCHEMA) for url in urls for _ in range(count)]
            try:
                await scenario(*stores)
            finally:
                for store in stores:
                    await store.close()

        asyncio.run(opened())

    return run


class Gate:
    """Held, no COMMIT of an entry returns."""

    def __init__(self, url):
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute("SELECT pg_advisory_lock(%s)", [GATE])

    async def reached(self, lock=GATE):
        """One waits, for the gate or for another lock of this database."""
        waits = (
            "SELECT COUNT(*) FROM pg_locks JOIN pg_database ON database = pg_database.oid "
            "WHERE datname = current_database() AND locktype = 'advisory' AND objid = %s AND NOT granted"
        )
        await eventually(
            lambda: self._connection.execute(waits, [lock]).fetchone(), lambda found: found == (1,)
        )

    def open(self):
        self._connection.close()


def after(tx, last):
    return tx.rows("SELECT serial, k FROM entry WHERE serial > :last ORDER BY serial", {"last": last})


def insert(k):
    def act(tx):
        tx.execute("INSERT INTO entry (k) VALUES (:k)", {"k": k})
        tx.signal(Outgoing(str(k)))
        return k

    return act


def insert_and_refuse(k):
    def act(tx):
        insert(k)(tx)
        raise OutcomeStands(str(k))

    return act


def keys(tx):
    return [k for (k,) in tx.rows("SELECT k FROM entry ORDER BY serial")]


def count_up(tx):
    """Reads, then writes what it has read and one more."""
    (n,) = tx.row("SELECT n FROM tally")
    tx.execute("UPDATE tally SET n = :n", {"n": n + 1})


@pytest.mark.law(1)
def test_a_plan_is_acknowledged_and_seen_only_after_its_commit_while_the_loop_goes_on(url):
    told = []

    async def scenario(store):
        store.on_commit(told.append)
        await eventually(lambda: told, lambda told: told == [frozenset({InCharge()})])
        told.clear()
        gate = Gate(url)
        writing = together(store, insert(1), insert_and_refuse(2), insert(3))
        await gate.reached()
        assert await store.read(keys) == []
        assert (writing.done(), told) == (False, [])
        gate.open()
        first, refused, last = await writing
        assert (first, type(refused), last) == (1, OutcomeStands, 3)
        assert await store.read(keys) == [1, 3]
        assert told == [frozenset({Outgoing("1"), Outgoing("3")})]

    in_stores(url)(scenario)


def test_what_arrives_during_a_commit_is_committed_together(url):
    def in_transaction(k):
        def act(tx):
            insert(k)(tx)
            return tx.row("SELECT pg_current_xact_id()::text")

        return act

    async def scenario(store):
        gate = Gate(url)
        first = asyncio.create_task(store.write(in_transaction(0)))
        await gate.reached()
        rest = together(store, *map(in_transaction, (1, 2)))
        await turns()
        gate.open()
        one, another = await rest
        assert one == another != await first

    in_stores(url)(scenario)


@pytest.mark.law(1)
def test_a_commit_whose_answer_is_lost_is_found_out_about_and_not_done_twice(url):
    with PostgresProxy(url) as proxy:

        async def scenario(store):
            assert await together(store, insert(0), count_up) == [0, None]
            proxy.fault = Fault.ANSWER_LOST
            assert await together(store, insert(1), count_up, insert(2)) == [1, None, 2]
            assert proxy.fault is Fault.NONE
            assert await store.read(keys) == [0, 1, 2]
            assert await store.read(lambda tx: tx.row("SELECT n FROM tally")) == (2,)

        in_stores(proxy.url)(scenario)


@pytest.mark.law(1)
def test_plans_whose_commit_never_arrived_run_again(url):
    with PostgresProxy(url) as proxy:

        async def scenario(store):
            await store.write(insert(0))
            proxy.fault = Fault.COMMIT_LOST
            first, refused, second = await together(store, insert(1), insert_and_refuse(9), count_up)
            assert (first, type(refused), second) == (1, OutcomeStands, None)
            assert proxy.fault is Fault.NONE
            assert await store.read(keys) == [0, 1]
            assert await store.read(lambda tx: tx.row("SELECT n FROM tally")) == (1,)

        in_stores(proxy.url)(scenario)


@pytest.mark.law(1)
def test_a_database_that_goes_away_acknowledges_nothing_and_is_found_again(url):
    with PostgresProxy(url) as proxy:

        async def scenario(store):
            await store.write(insert(1))
            proxy.go_away()
            writing = await together(store, insert(2), insert(3))
            assert [type(result) for result in writing] == [TemporarilyUnavailable] * 2
            with pytest.raises(TemporarilyUnavailable, match="cannot be reached"):
                await store.read(keys)
            assert store.alive
            proxy.fault = Fault.NONE
            assert await store.write(insert(4)) == 4
            assert await store.read(keys) == [1, 4]

        in_stores(proxy.url)(scenario)


def test_connections_that_were_ended_are_replaced_unseen(url):
    async def scenario(store):
        await store.write(insert(1))
        await asyncio.gather(*(store.read(keys) for _ in range(20)))
        assert engines.disconnect(url) >= 2
        assert await store.read(keys) == [1]
        assert await store.write(insert(2)) == 2
        assert await store.read(keys) == [1, 2]

    in_stores(url)(scenario)


def test_a_connection_that_ends_within_a_plan_breaks_nobody_else_s(url):
    ended = []

    def ending(tx):
        insert(2)(tx)
        if not ended:
            ended.append(engines.disconnect(url))
            insert(3)(tx)

    async def scenario(store):
        assert await together(store, insert(1), ending, insert(4)) == [1, None, 4]
        assert await store.read(keys) == [1, 2, 4]

    in_stores(url)(scenario)


def test_a_read_sees_one_snapshot_whatever_is_committed_meanwhile(url):
    looked, written = threading.Event(), threading.Event()

    def look(tx):
        before = keys(tx)
        looked.set()
        assert written.wait(10)
        return before, keys(tx)

    async def scenario(store):
        await store.write(insert(1))
        reading = asyncio.create_task(store.read(look))
        await asyncio.to_thread(looked.wait, 10)
        await store.write(insert(2))
        written.set()
        assert await reading == ([1], [1])
        assert await store.read(keys) == [1, 2]

    in_stores(url)(scenario)


@pytest.mark.law(1)
def test_two_processes_that_read_before_they_write_lose_nothing(url):
    async def scenario(*stores):
        await asyncio.gather(*(store.write(count_up) for _ in range(50) for store in stores))
        assert await stores[0].read(lambda tx: tx.row("SELECT n FROM tally")) == (100,)

    in_stores(url, count=2)(scenario)


def test_serials_are_seen_in_their_order_whoever_writes(url):
    """Pages, the sealer and the messenger go on after the last serial they have seen: none may come later below it."""

    async def scenario(one, other):
        gate = Gate(url)
        first = asyncio.create_task(one.write(insert(1)))
        await gate.reached()
        second = asyncio.create_task(other.write(lambda tx: tx.execute("INSERT INTO tally VALUES (5)")))
        await gate.reached(postgres_schema.TURN)
        assert not second.done(), "whoever comes later is seen later"
        gate.open()
        await asyncio.gather(first, second)
        last, numbers = 0, range(2, 40)
        writing = asyncio.gather(*((one, other)[n % 2].write(insert(n)) for n in numbers))
        seen = []
        while not writing.done() or len(seen) < 39:
            found = await one.read(partial(after, last=last))
            seen += [k for _, k in found]
            last = found[-1][0] if found else last
        assert sorted(seen) == list(range(1, 40))

    in_stores(url, count=2)(scenario)


def test_a_process_that_holds_the_turn_too_long_refuses_the_others_for_the_time(url, monkeypatch):
    monkeypatch.setattr(postgres_connection, "LOCK_MS", 1)

    async def scenario(store):
        with psycopg.connect(url) as other:
            other.execute("SELECT pg_advisory_xact_lock(%s)", [postgres_schema.TURN])
            with pytest.raises(TemporarilyUnavailable, match="Another process holds the database"):
                await store.write(insert(1))
        assert await store.write(insert(2)) == 2

    in_stores(url)(scenario)


def test_a_commit_is_durable_whatever_the_database_is_set_to(url):
    engines.ask(f"ALTER DATABASE {engines.name_of(url)} SET synchronous_commit = off")
    with postgres_offline.connected(url) as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)


# The schema.


def test_every_shipped_migration_makes_the_same_schema_alone_as_all_at_once():
    url, before = engines.make(), 0
    for number, _ in load():
        assert postgres_offline.migrate(url, done(number, load())) == before
        before = number
    assert postgres_offline.migrate(url, load()) == before
    engines.drop(url)


def test_an_older_and_a_newer_schema_are_refused_and_left_as_they_are(url):
    later = Migration(2, "CREATE TABLE later (n BIGINT)")
    with pytest.raises(Misconfigured, match=r"has schema 1; this acmx needs 2: .* acmx migrate"):
        PostgresStore.open(url, migrations=[*SCHEMA, later])
    assert postgres_offline.migrate(url, [*SCHEMA, later]) == 1
    with pytest.raises(Misconfigured, match="has schema 2; this acmx knows 1"):
        PostgresStore.open(url, migrations=SCHEMA)
    with pytest.raises(Misconfigured, match="has schema 2; this acmx knows 1"):
        postgres_offline.migrate(url, SCHEMA)


def test_a_migration_that_fails_leaves_nothing_behind(url):
    broken = Migration(2, "CREATE TABLE half (n BIGINT); CREATE TABLE tally (n BIGINT)")
    with pytest.raises(Misconfigured, match="already exists"):
        postgres_offline.migrate(url, [*SCHEMA, broken])
    with postgres_offline.connected(url) as connection:
        assert postgres_schema.present(connection) == 1
        assert connection.execute("SELECT to_regclass('half')").fetchone() == (None,)


def test_a_migration_gives_way_to_those_who_read_and_is_tried_again(url, monkeypatch):
    wider = [*SCHEMA, Migration(2, "ALTER TABLE entry ADD COLUMN note TEXT")]
    pauses = []

    def pause(seconds):
        pauses.append(seconds)
        if len(pauses) == 2:
            reader.rollback()

    monkeypatch.setattr(postgres_schema, "time", SimpleNamespace(sleep=pause))
    monkeypatch.setattr(postgres_schema, "PATIENCE_MS", 20)
    with psycopg.connect(url) as reader, postgres_offline.connected(url) as connection:
        reader.execute("SELECT * FROM entry")
        postgres_schema.migrate(connection, wider)
        assert postgres_schema.present(connection) == 2
    assert pauses == [1.0, 1.0]


def test_a_migration_that_never_gets_its_turn_gives_up(url, monkeypatch):
    wider = [*SCHEMA, Migration(2, "ALTER TABLE entry ADD COLUMN note TEXT")]
    monkeypatch.setattr(postgres_schema, "time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr(postgres_schema, "PATIENCE_MS", 1)
    with psycopg.connect(url) as writer:
        writer.execute("SELECT pg_advisory_xact_lock(%s)", [postgres_schema.TURN])
        with pytest.raises(Misconfigured, match="lock timeout"):
            postgres_offline.migrate(url, wider)
    assert postgres_offline.migrate(url, SCHEMA) == 1


def test_a_database_that_cannot_be_reached_is_named_without_its_password():
    with pytest.raises(Misconfigured, match="the database: ") as refused:
        PostgresStore.open("postgresql://acmx:s3cret@127.0.0.1:1/acmx")
    assert "s3cret" not in str(refused.value)


def test_a_database_in_another_encoding_is_refused():
    engines.ask("CREATE DATABASE acmx_latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
    try:
        with pytest.raises(Misconfigured, match="UTF8"):
            PostgresStore.open(engines.server().replace("/postgres?", "/acmx_latin?"))
    finally:
        engines.ask("DROP DATABASE acmx_latin")


def test_without_the_extra_its_name_is_said(tmp_path, monkeypatch):
    from acmx.bootstrap import database
    from acmx.config import Config
    from acmx.domain.identities import Realms

    config = Config(
        system="mc.a.example", name="A", realms=Realms(("a.example",)), database="postgresql://x/y"
    )
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(Misconfigured, match=r"acmx\[postgres\]"):
        database.open_store(Path(tmp_path), config, print)
