"""PostgreSQL: what was acknowledged is there, or it is noticed that it is not, whichever server answers."""

import asyncio
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

import msgspec
import psycopg
import pytest
from bench.postgres_proxy import Fault, PostgresProxy

from acmx.domain.errors import Misconfigured, TemporarilyUnavailable
from acmx.storage import journal
from acmx.storage.engine import Act, Missed
from acmx.storage.engines import postgres_offline, postgres_schema, postgres_writer
from acmx.storage.engines.postgres import PostgresStore
from acmx.storage.engines.postgres_history import Seen
from acmx.storage.migrations import Migration
from support.systems import engines
from support.systems.histories import Copies, wait_for_standbys, waits_for_standby
from support.systems.plans import together
from support.systems.systems import eventually

SCHEMA = [
    Migration(
        1,
        "CREATE TABLE entry (serial INTEGER PRIMARY KEY, k BIGINT NOT NULL);"
        "CREATE TABLE journal (serial INTEGER PRIMARY KEY, at BIGINT, event TEXT, actor TEXT, primary_system TEXT, "
        "id TEXT, detail TEXT)",
    )
]
EXCHANGES = [("mc.fire.example", f"0190000{n}") for n in range(4)]


pytestmark = pytest.mark.postgres


@pytest.fixture
def url():
    url = engines.make()
    with postgres_offline.connected(url) as connection:
        postgres_schema.migrate(connection, SCHEMA)
    yield url
    engines.drop(url)


@pytest.fixture
def standby_away(monkeypatch):
    """From here on a COMMIT waits for a standby that is not there; what is returned lets PostgreSQL go on alone."""
    monkeypatch.setattr(postgres_writer, "COMMIT_S", 0.3)
    wait_for_standbys("nobody")
    yield lambda: wait_for_standbys("")
    wait_for_standbys("")


def run(scenario, url, **options):
    async def opened():
        store = PostgresStore.open(url, migrations=SCHEMA, **options)
        store.told, store.changes = [], []
        store.on_new_history(lambda _tx, change: store.changes.append(change))
        store._writer.listeners.append(store.told.extend)
        try:
            return await scenario(store)
        finally:
            await store.close()

    return asyncio.run(opened())


def insert(k):
    def act(tx):
        tx.execute("INSERT INTO entry (k) VALUES (:k)", {"k": k})
        primary, id_ = EXCHANGES[k]
        journal.write(tx, 0, "submitted", "someone", primary=primary, id_=id_)
        return k

    return act


def keys(tx):
    return [k for (k,) in tx.rows("SELECT k FROM entry ORDER BY serial")]


def refused(results, match):
    return all(isinstance(result, TemporarilyUnavailable) and match in str(result) for result in results)


def patient(store):
    """From now on a COMMIT may take half a minute."""
    within = store._writer._engine.within._replace(commit=30.0)
    store._writer._engine = replace(store._writer._engine, within=within)


# A COMMIT that is lost.


@pytest.mark.law(1)
def test_what_a_promoted_standby_has_not_got_is_run_again_though_its_number_was_given_to_another(url):
    copies = Copies(url)
    with PostgresProxy(url) as proxy:

        async def scenario(store):
            await store.write(insert(0))
            copies.keep()

            def fail_over():
                copies.put_back()
                with postgres_offline.connected(url) as other:
                    for _ in range(20):
                        other.execute("INSERT INTO entry (k) VALUES (9)")

            proxy.then, proxy.fault = fail_over, Fault.ANSWER_LOST
            assert await together(store, insert(1), insert(2)) == [1, 2]
            found = await store.read(keys)
            assert (found.count(1), found.count(2), store.changes) == (1, 1, [])

        run(scenario, proxy.url)


@pytest.mark.law(1)
def test_where_what_was_acknowledged_before_is_gone_too_nothing_is_acknowledged_and_it_is_named(url):
    copies = Copies(url)
    copies.keep()
    with PostgresProxy(url) as proxy:

        async def scenario(store):
            await store.write(insert(0))
            await store.write(insert(1))
            proxy.then, proxy.fault = copies.put_back, Fault.ANSWER_LOST
            assert refused(await together(store, insert(2), insert(3)), "has failed over")
            (change,) = store.changes
            assert (change.lost, change.first, change.exchanges) == (True, True, {*EXCHANGES[:2]})
            assert store.told[-1] == Missed()
            assert await store.write(insert(3)) == 3
            assert await store.read(keys) == [3]
            assert len(store.changes) == 1

        run(scenario, proxy.url)


def test_a_database_that_was_put_back_is_noticed_before_anything_is_written(url):
    copies = Copies(url)

    async def scenario(store):
        await store.write(insert(0))
        copies.keep()
        await store.write(insert(1))
        await store.write(insert(2))
        copies.put_back()
        assert refused(await together(store, insert(3)), "has failed over")
        (change,) = store.changes
        assert (change.lost, change.exchanges) == (True, {EXCHANGES[1], EXCHANGES[2]})
        assert await store.write(insert(3)) == 3
        assert await store.read(keys) == [0, 3]

    run(scenario, url)


def test_what_people_did_is_named_too_and_what_the_server_did_by_itself_is_not(url):
    copies = Copies(url)

    def act(tx):
        behalf = journal.OnBehalf(tx, "sip:kim@x", {"by": "kim"})
        journal.write(behalf, 5, "policy-set", "sip:kim@x", version=2)
        journal.write(behalf, 5, "mc-service-id-shared", "acmx")
        journal.write(tx, 5, "expiry-near", "clock")

    async def scenario(store):
        await store.write(act)
        copies.keep()
        await store.write(act)
        copies.put_back()
        assert refused(await together(store, insert(3)), "has failed over")
        (change,) = store.changes
        assert change.acts == {Act(5, "policy-set", "sip:kim@x", "version 2")}

    run(scenario, url)


def test_whoever_follows_what_others_commit_notices_by_itself_and_looks_at_everything(url, monkeypatch):
    monkeypatch.setattr("acmx.storage.engines.postgres_peers.POLL", 0.05)
    copies = Copies(url)

    async def scenario(store):
        store.on_commit(lambda _signals: None)
        copies.keep()
        for k in (0, 1, 2):
            await store.write(insert(k))
        copies.put_back()
        await eventually(lambda: store.changes, bool)
        await eventually(lambda: store.told, lambda told: Missed() in told)

    run(scenario, url)


def test_what_is_pruned_is_not_taken_for_lost(url):
    async def scenario(store):
        await store.write(insert(0))
        await store.write(lambda _tx: None)
        with postgres_offline.connected(url) as connection:
            connection.execute("DELETE FROM batch WHERE serial < (SELECT MAX(serial) FROM batch)")
        store._history.timeline -= 1
        assert refused(await together(store, insert(1)), "has failed over")
        (change,) = store.changes
        assert (change.lost, change.exchanges) == (False, frozenset())

    run(scenario, url)


def test_what_came_through_although_its_answer_was_lost_is_named_when_it_is_lost_later(url):
    copies = Copies(url)
    copies.keep()
    with PostgresProxy(url) as proxy:

        async def scenario(store):
            proxy.fault = Fault.ANSWER_LOST
            assert await store.write(insert(0)) == 0
            copies.put_back()
            assert refused(await together(store, insert(1)), "has failed over")
            assert store.changes[0].exchanges == {EXCHANGES[0]}

        run(scenario, proxy.url)


def test_whatever_goes_wrong_while_a_change_is_taken_in_everybody_is_refused_and_the_turn_is_free(url):
    copies = Copies(url)

    async def scenario(store):
        await store.write(insert(0))
        copies.keep()
        await store.write(insert(1))
        copies.put_back()

        def failing(_tx, _change):
            raise LookupError("a fault")

        store.on_new_history(failing)
        (result,) = await together(store, insert(2))
        assert isinstance(result, LookupError)
        store.on_new_history(lambda _tx, change: store.changes.append(change))
        assert refused(await together(store, insert(2)), "has failed over")
        assert await store.write(insert(2)) == 2

    run(scenario, url)


# A COMMIT that is not confirmed.


@pytest.mark.law(1)
def test_a_change_is_taken_in_once_though_it_is_confirmed_later(url, standby_away):
    async def scenario(store):
        store._history.timeline -= 1
        for _ in range(3):
            assert refused(await together(store, insert(0)), "does not confirm")
        assert len(store.changes) == 1
        patient(store)
        standby_away()
        assert refused(await together(store, insert(0)), "has failed over")
        assert await store.write(insert(0)) == 0
        assert len(store.changes) == 1

    run(scenario, url)


@pytest.mark.law(1)
def test_with_the_standby_away_nothing_is_acknowledged_in_a_bounded_time_and_nobody_is_held_up(
    url, standby_away
):
    async def scenario(store):
        assert refused(await together(store, insert(0)), "does not confirm")
        assert await store.read(keys) == [0]
        assert refused(await together(store, insert(1), insert(2)), "does not confirm")
        assert await store.read(keys) == [0], "nothing more is written before that is confirmed"
        assert store.told == []
        patient(store)
        standby_away()
        assert await store.write(insert(3)) == 3
        assert await store.read(keys) == [0, 3]
        assert Missed() in store.told, "what was in doubt is told of once it is confirmed"

    run(scenario, url)


@pytest.mark.law(1)
@pytest.mark.parametrize("broken_off", ["pg_cancel_backend", "pg_terminate_backend"])
def test_a_wait_that_was_broken_off_is_acknowledged_when_a_later_commit_is_confirmed(
    url, standby_away, broken_off
):
    postgres_writer.COMMIT_S = 30.0

    async def scenario(store):
        writing = together(store, insert(0), insert(1))
        pid = await waits_for_standby(url)
        engines.ask(f"SELECT {broken_off}({pid})")
        await eventually(lambda: waits_for_standby(url), lambda other: other)
        assert not writing.done()
        standby_away()
        assert await writing == [0, 1]
        assert await store.read(keys) == [0, 1]

    run(scenario, url)


@pytest.mark.law(1)
def test_a_synchronous_standby_that_is_required_and_forgone_is_no_confirmation(url, standby_away):
    postgres_writer.COMMIT_S = 30.0

    async def scenario(store):
        writing = together(store, insert(0))
        await waits_for_standby(url)
        standby_away()
        assert refused(await writing, "required here")
        assert refused(await together(store, insert(1)), "required here")

    run(scenario, url, require_synchronous=True)


@pytest.mark.law(1)
def test_a_commit_that_waits_for_no_standby_by_its_setting_is_no_confirmation(url, standby_away):
    setting = f"ALTER DATABASE {engines.name_of(url)} SET synchronous_commit = local"
    engines.ask(f"SET synchronous_commit = local; {setting}")

    async def scenario(store):
        assert refused(await together(store, insert(0)), "required here")

    run(scenario, url, require_synchronous=True)


@pytest.mark.law(1)
def test_who_may_not_see_what_standbys_have_is_told_so_at_the_start(url):
    user, parts = engines.name_of(url), urlsplit(url)
    own = urlunsplit(parts._replace(netloc=f"{user}@{parts.netloc.rpartition('@')[2]}"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {user} LOGIN")
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}")
        try:
            with pytest.raises(Misconfigured, match="GRANT pg_monitor"):
                PostgresStore.open(own, migrations=SCHEMA, require_synchronous=True)
            connection.execute(f"GRANT pg_monitor TO {user}")
            asyncio.run(PostgresStore.open(own, migrations=SCHEMA, require_synchronous=True).close())
        finally:
            connection.execute(f"DROP OWNED BY {user}; DROP ROLE {user}")


# What the directory remembers.


@pytest.fixture
def seen(tmp_path):
    return tmp_path / "database-seen"


def kept(file):
    return msgspec.json.decode(file.read_bytes(), type=Seen)


def test_a_start_on_what_was_put_back_meanwhile_knows_it(url, seen):
    copies = Copies(url)

    async def first(store):
        await store.write(insert(0))
        copies.keep()
        await store.write(insert(1))

    async def again(store):
        assert await together(store, insert(2), insert(3)) == [2, 3]
        (change,) = store.changes
        assert (change.lost, change.at_start) == (True, True)

    async def once_more(store):
        assert await store.write(insert(2)) == 2
        assert store.changes == []

    run(first, url, seen=seen)
    copies.put_back()
    run(again, url, seen=seen)
    run(once_more, url, seen=seen)


def test_a_start_that_ends_before_it_has_taken_the_change_in_leaves_it_to_the_next(url, seen):
    async def nothing(store): ...

    async def again(store):
        await store.write(lambda _tx: None)
        assert len(store.changes) == 1

    run(nothing, url, seen=seen)
    seen.write_bytes(
        msgspec.json.encode(msgspec.structs.replace(kept(seen), timeline=kept(seen).timeline - 1))
    )
    run(nothing, url, seen=seen)
    run(again, url, seen=seen)


@pytest.mark.parametrize("other", [{"timeline": 7}, {"system_identifier": "7"}])
def test_a_former_primary_or_another_database_is_not_begun_with(url, seen, other):
    async def nothing(_store): ...

    run(nothing, url, seen=seen)
    seen.write_bytes(msgspec.json.encode(msgspec.structs.replace(kept(seen), **other)))
    with pytest.raises(
        Misconfigured, match=r"not the database that was served from here.*remove .*database-seen"
    ):
        run(nothing, url, seen=seen)


def test_a_former_primary_that_answers_a_running_server_is_not_written_to_nor_read(url):
    async def scenario(store):
        await store.write(insert(0))
        store._history.timeline = 7
        engines.disconnect(url)
        assert refused(await together(store, insert(1)), "former primary")
        with pytest.raises(TemporarilyUnavailable, match="former primary"):
            await store.read(keys)

    run(scenario, url)


def test_what_a_token_too_old_to_be_kept_would_tell_is_not_guessed(url, seen):
    async def nothing(store):
        await store.write(lambda _tx: None)
        assert store.changes == []

    run(nothing, url, seen=seen)
    long_ago = msgspec.structs.replace(kept(seen), mark="gone", at=0.0)
    seen.write_bytes(msgspec.json.encode(long_ago))
    run(nothing, url, seen=seen)
