"""PostgreSQL does not answer, or one of the connections to it is lost: bounded, and told once."""

import asyncio

import pytest
import structlog
from bench.postgres_proxy import Fault, PostgresProxy

from acmx.storage.engines import postgres_offline, postgres_peers, postgres_writer
from support.systems import engines
from support.systems.histories import wait_for_standbys
from support.systems.plans import together
from support.systems.systems import eventually
from support.systems.taking import SCHEMA, insert, keys, refused, run

pytestmark = pytest.mark.postgres


@pytest.fixture
def url():
    url = engines.make()
    postgres_offline.migrate(url, SCHEMA)
    yield url
    engines.drop(url)


def test_the_wait_for_a_standby_is_ended_though_all_other_threads_are_busy(url, monkeypatch):
    monkeypatch.setattr(postgres_writer, "COMMIT_S", 0.3)

    async def scenario(stores):
        store = await stores.open(url)
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        busy = [
            asyncio.create_task(
                asyncio.to_thread(asyncio.run_coroutine_threadsafe(done.wait(), loop).result, 30)
            )
            for _ in range(64)
        ]
        wait_for_standbys("nobody")
        try:
            async with asyncio.timeout(10):
                assert refused(await together(store, insert(0)), "does not confirm")
        finally:
            wait_for_standbys("")
            done.set()
            await asyncio.gather(*busy)

    run(scenario)


@pytest.mark.parametrize("step", ["BEGIN", "INSERT", "COMMIT"])
def test_a_server_that_falls_silent_is_given_up(url, step, monkeypatch):
    for name in ("BEGIN_S", "APPLY_S", "COMMIT_S"):
        monkeypatch.setattr(postgres_writer, name, 0.3)
    with PostgresProxy(url) as proxy:

        async def scenario(stores):
            store = await stores.open(proxy.url)
            assert await store.write(insert(0)) == 0
            proxy.fall_silent(step.encode())
            async with asyncio.timeout(20):
                assert refused(await together(store, insert(1)), "cannot be reached")
            proxy.cut()
            assert await store.write(insert(2)) == 2
            assert set(await store.read(keys)) == {0, 2}

        run(scenario)


def test_an_outage_of_the_listening_connection_is_one_line_when_it_begins_and_one_when_it_ends(
    url, monkeypatch
):
    monkeypatch.setattr(postgres_peers, "POLL", 0.05)

    async def scenario(stores):
        store = await stores.open(proxy.url)
        store.on_commit(lambda _: None)
        await eventually(lambda: store.in_charge, bool)
        with structlog.testing.capture_logs() as lines:
            attempts = []
            monkeypatch.setattr(
                postgres_peers, "places", lambda *of, **more: attempts.append(1) or places(*of, **more)
            )
            proxy.go_away()
            await eventually(lambda: len(attempts), lambda n: n >= 3)
            proxy.fault = Fault.NONE
            await eventually(lambda: store.in_charge, bool)
        told = [(line["log_level"], line["event"]) for line in lines]
        assert told == [
            ("warning", "the connection that listens to other servers is lost"),
            ("info", "other servers on the database are listened to again"),
        ]

    places = postgres_peers.places
    with PostgresProxy(url) as proxy:
        run(scenario)
