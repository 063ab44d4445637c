"""A server's directory on PostgreSQL, while the synchronous standby is away, and after a failover."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from msgspec.structs import replace

from acmx import config
from acmx.bootstrap.backup import backup, restore
from acmx.bootstrap.create import create
from acmx.bootstrap.database import SEEN, look, open_store
from acmx.bootstrap.doctor.doctor import examine
from acmx.bootstrap.migrate import migrate
from acmx.bootstrap.recover import recover
from acmx.domain.errors import Misconfigured, TemporarilyUnavailable
from acmx.storage.engines.postgres_history import Seen
from acmx.storage.migrations import Migration, load
from support.systems import engines
from support.systems.histories import Copies, wait_for_standbys, waits_for_standby

ALL = load()
LATER = Migration(ALL[-1].number + 1, "CREATE TABLE later (n BIGINT)")

pytestmark = pytest.mark.postgres


@pytest.fixture
def server(tmp_path, settings):
    directory = tmp_path / "server"
    create(directory, replace(settings, database=engines.database(directory)))
    return directory


def url_of(directory):
    return config.read(directory / "config.toml").database


def broken_off(url, act, by):
    """What `act` raises whose COMMIT waits for the standby, when a database administrator ends that wait."""

    async def end():
        while not done.done():
            waiting = asyncio.ensure_future(waits_for_standby(url))
            await asyncio.wait([waiting, asyncio.wrap_future(done)], return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                engines.ask(f"SELECT {by}({waiting.result()})")
            waiting.cancel()

    wait_for_standbys("nobody")
    try:
        with ThreadPoolExecutor() as pool:
            done = pool.submit(act)
            asyncio.run(end())
        return done.exception()
    finally:
        wait_for_standbys("")


def ways(test):
    return pytest.mark.parametrize("by", ["pg_cancel_backend", "pg_terminate_backend"])(test)


@pytest.mark.law(1)
@ways
def test_init_says_that_what_it_wrote_is_not_confirmed(tmp_path, settings, by):
    url = engines.database(tmp_path / "server")
    error = broken_off(url, lambda: create(tmp_path / "server", replace(settings, database=url)), by)
    assert isinstance(error, TemporarilyUnavailable)
    assert "standby" in str(error)
    assert "make the database anew" in str(error)
    assert not (tmp_path / "server").exists()


@pytest.mark.law(1)
@ways
def test_restore_says_that_what_it_wrote_is_not_confirmed(server, tmp_path, monkeypatch, by):
    backup(server, tmp_path / "saved")
    url = engines.database(tmp_path / "other")
    monkeypatch.setenv("ACMX_DATABASE", url)
    error = broken_off(url, lambda: restore(tmp_path / "saved", tmp_path / "other"), by)
    assert isinstance(error, TemporarilyUnavailable)
    assert "the synchronous standby has not confirmed it" in error.detail
    assert "make the database anew" in error.detail
    assert not (tmp_path / "other").exists()


@pytest.mark.law(1)
@ways
def test_migrate_says_that_what_it_wrote_is_not_confirmed(server, monkeypatch, by):
    monkeypatch.setattr("acmx.storage.migrations.load", lambda: [*ALL, LATER])
    error = broken_off(url_of(server), lambda: migrate(server), by)
    assert isinstance(error, TemporarilyUnavailable)
    assert "the synchronous standby has not confirmed it" in error.detail
    assert migrate(server)[1] == LATER.number


# An operator's command on a database that has failed over.


def once_served(directory):
    asyncio.run(open_store(directory, config.read(directory / "config.toml"), print).close())


def seen(directory):
    return msgspec.json.decode((directory / SEEN).read_bytes(), type=Seen)


def journalled(directory, event):
    asked = "SELECT detail FROM journal WHERE event = :event"
    return look(
        directory, config.read(directory / "config.toml"), lambda tx: tx.rows(asked, {"event": event})
    )


def test_recover_takes_a_lost_history_in_as_a_server_does(server):
    once_served(server)
    copies = Copies(url_of(server))
    copies.keep()
    recover(server)
    copies.put_back()
    recover(server)
    assert len(journalled(server, "database-changed")) == 1
    recover(server)
    assert len(journalled(server, "database-changed")) == 1


def test_recover_writes_nothing_to_a_former_primary(server):
    once_served(server)
    (server / SEEN).write_bytes(msgspec.json.encode(msgspec.structs.replace(seen(server), timeline=7)))
    with pytest.raises(Misconfigured, match="former primary"):
        recover(server)
    assert seen(server).timeline == 7


def test_the_doctor_says_what_to_do_where_the_batches_are_gone(server):
    assert "batches" not in {finding.name for finding in examine(server).items}
    engines.change(type("Place", (), {"config": config.read(server / "config.toml")}), "DELETE FROM batch")
    found = {finding.name: (finding.status, finding.text) for finding in examine(server).items}
    assert found["batches"][0] == "failed"
    assert "acmx migrate" in found["batches"][1]
    migrate(server)
    assert "batches" not in {finding.name for finding in examine(server).items}
