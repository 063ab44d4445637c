"""Several processes on one PostgreSQL database: what one commits all hear of, and one of them is in charge."""

import asyncio

import psycopg
import pytest

from acmx.storage.engine import InCharge, Missed
from acmx.storage.engines import postgres, postgres_offline, postgres_peers, postgres_schema
from acmx.storage.engines.postgres import PostgresStore
from acmx.storage.exchange.outbox import Outgoing
from acmx.storage.migrations import Migration
from support.systems import engines
from support.systems.systems import eventually

SCHEMA = [Migration(1, "CREATE TABLE entry (serial INTEGER PRIMARY KEY)")]
LISTENING = (
    "WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND application_name = 'acmx listening' AND query LIKE 'SELECT%'"
)
LONG = 600.0
MINUTES = "clock_timestamp() - interval '{} minutes'"


pytestmark = pytest.mark.postgres


@pytest.fixture
def url():
    url = engines.make()
    with postgres_offline.connected(url) as connection:
        postgres_schema.migrate(connection, SCHEMA)
    yield url
    engines.drop(url)


class Process:
    """A store, and what its listener was told."""

    def __init__(self, url):
        self.store = PostgresStore.open(url, migrations=SCHEMA)
        self.told = []
        self.store.on_commit(self.told.extend)

    async def say(self, *partners):
        def act(tx):
            for partner in partners:
                tx.signal(Outgoing(partner))

        await self.store.write(act)

    def heard(self):
        return [signal.partner for signal in self.told if isinstance(signal, Outgoing)]

    async def hears(self, *partners):
        await eventually(lambda: self.heard(), lambda heard: sorted(heard) == sorted(partners))

    async def takes_charge(self):
        await eventually(lambda: self.told, lambda told: InCharge() in told)


def in_processes(url, scenario, count=2):
    """The first one is in charge."""

    async def opened():
        processes = [Process(url)]
        try:
            await processes[0].takes_charge()
            processes.extend(Process(url) for _ in range(count - 1))
            await scenario(*processes)
        finally:
            for process in processes:
                await process.store.close()

    asyncio.run(opened())


def test_what_one_says_all_hear_once_long_before_they_look_by_themselves(url, monkeypatch):
    monkeypatch.setattr(postgres_peers, "POLL", LONG)

    async def scenario(one, other, third):
        await attends(url, 3)
        await one.say("a", "b")
        await other.say("c")
        for process in (one, other, third):
            await process.hears("a", "b", "c")
        await one.say("d")
        for process in (one, other, third):
            await process.hears("a", "b", "c", "d")

    in_processes(url, scenario, count=3)


def test_without_a_single_notification_all_is_heard(url, monkeypatch):
    monkeypatch.setattr(postgres_peers, "POLL", 0.05)
    monkeypatch.setattr(postgres, "NOTIFY", "SELECT 1")

    async def scenario(one, other):
        await one.say("a")
        await other.hears("a")
        await other.say("b")
        await one.hears("a", "b")

    in_processes(url, scenario)


def test_a_listening_connection_that_ends_costs_time_alone(url, monkeypatch):
    monkeypatch.setattr(postgres_peers, "POLL", 0.05)

    async def scenario(one, other):
        await attends(url, 2)
        ask(url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity {LISTENING}")
        await one.say("a")
        await other.hears("a")
        await attends(url, 2)
        await other.say("b")
        await one.hears("a", "b")
        await eventually(lambda: one.store.in_charge + other.store.in_charge, lambda n: n == 1)

    in_processes(url, scenario)


def test_one_is_in_charge_and_when_it_stops_another(url, monkeypatch):
    monkeypatch.setattr(postgres_peers, "POLL", LONG)

    async def scenario(one, other):
        await attends(url, 2)
        assert not other.store.in_charge
        assert other.told == []
        await one.store.close()
        assert not one.store.in_charge
        await other.takes_charge()
        assert other.store.in_charge

    in_processes(url, scenario)


def test_a_plan_that_failed_says_nothing(url, monkeypatch):
    monkeypatch.setattr(postgres_peers, "POLL", 0.05)

    def failing(tx):
        tx.signal(Outgoing("never"))
        raise LookupError

    async def scenario(one, other):
        with pytest.raises(LookupError):
            await one.store.write(failing)
        await one.say("a")
        await other.hears("a")
        assert [signals for (signals,) in ask(url, "SELECT signals FROM batch")].count("[]") == 2

    in_processes(url, scenario)


def test_whoever_was_away_longer_than_signals_are_kept_is_told_to_look_at_everything(url, monkeypatch):
    monkeypatch.setattr(postgres_peers, "POLL", 0.05)
    monkeypatch.setattr(postgres_peers, "PRUNE_EVERY", 0.05)

    async def scenario(one, other):
        follow = other.store._neighbours._follow
        other.store._neighbours._tasks.pop(1).cancel()
        for name in ("a", "b"):
            await one.say(name)
            ask(url, f"UPDATE batch SET at = {MINUTES.format(11)}")
        await one.say("c")

        async def kept():
            return {signals for (signals,) in ask(url, "SELECT signals FROM batch")} - {"[]"}

        await eventually(kept, lambda signals: len(signals) == 1)
        await follow()
        assert set(other.told) == {Missed(), Outgoing("c")}
        other.told.clear()
        await one.say("d")
        await follow()
        assert other.told == [Outgoing("d")]

    in_processes(url, scenario)


def test_what_a_newer_process_says_makes_an_older_one_look_at_everything(url, monkeypatch):
    monkeypatch.setattr(postgres_peers, "POLL", 0.05)

    async def scenario(one, _other):
        ask(
            url,
            "INSERT INTO batch (timeline, process, mark, previous, signals) SELECT timeline, 'newer', 'next', mark, "
            """'[{"type": "Unheard"}]' FROM batch ORDER BY serial DESC LIMIT 1""",
        )
        await eventually(lambda: one.told, lambda told: Missed() in told)
        await one.say("a")
        await one.hears("a")

    in_processes(url, scenario)


async def attends(url, count):
    """So many processes listen."""
    listen = f"SELECT 1 FROM pg_stat_activity {LISTENING}"

    async def look():
        return len(ask(url, listen))

    await eventually(look, lambda found: found == count)


def ask(url, statement):
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []
