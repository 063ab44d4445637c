"""A server's directory whose database is PostgreSQL: set up, examined, saved, moved from engine to engine."""

import asyncio
import shutil

import pytest
from msgspec.structs import replace

from acmx import config
from acmx.bootstrap.backup import backup, restore
from acmx.bootstrap.create import create
from acmx.bootstrap.database import look, open_store
from acmx.bootstrap.doctor import examine_database
from acmx.bootstrap.doctor.doctor import examine
from acmx.bootstrap.keep_certificates import certificates
from acmx.bootstrap.keep_keys import keys
from acmx.bootstrap.lock import hold
from acmx.bootstrap.migrate import migrate
from acmx.bootstrap.offline_audit import opened
from acmx.domain.errors import AlreadyThere, DirectoryInUse, FaultyInput, Misconfigured
from acmx.storage import journal
from acmx.storage.engines import postgres_offline, postgres_schema
from acmx.storage.migrations import Migration, load
from support.systems import engines

BULK = 500
ALL = load()
LATER = Migration(ALL[-1].number + 1, "CREATE TABLE later (n BIGINT)")


pytestmark = pytest.mark.postgres


@pytest.fixture
def server(tmp_path, settings):
    """A directory as `acmx init --database` makes it."""
    directory = tmp_path / "server"
    create(directory, replace(settings, database=engines.database(directory)))
    return directory


def chosen(directory):
    return config.read(directory / "config.toml")


def in_store(directory, scenario):
    async def run():
        store = open_store(directory, chosen(directory), print)
        try:
            return await scenario(store)
        finally:
            await store.close()

    return asyncio.run(run())


def write(tx, n):
    journal.write(tx, n, "filler", "tests", n=n)


def everything(directory, engine="postgres"):
    """Every row but the number of the schema, which each engine keeps in its own way."""
    with engines.engine(engine):
        tables = look(directory, chosen(directory), engines.tables)
    return {name: sorted(rows, key=repr) for name, rows in tables.items() if name != "schema_version"}


def found(directory):
    return {finding.name: (finding.status, finding.text) for finding in examine(directory).items}


def test_it_is_set_up_whole_and_without_a_file(server):
    assert not (server / "acmx.db").exists()
    assert [row[0] for row in everything(server)["account"]] == ["admin"]
    assert len(keys(server).items) == 1
    assert {one.use for one in certificates(server).items} == {"acm1", "acm2"}


def test_a_database_that_holds_a_server_is_left_alone(server, tmp_path, settings):
    before = everything(server)
    other = replace(settings, system="mc.other.example", database=chosen(server).database)
    with pytest.raises(AlreadyThere, match="The database holds an ACM server"):
        create(tmp_path / "other", other)
    assert not (tmp_path / "other").exists()
    assert everything(server) == before


@pytest.mark.parametrize("url", ["acmx", "mysql://host/acmx", "postgresql://host/a b"])
def test_what_is_no_such_url_is_refused(tmp_path, settings, url):
    with pytest.raises(FaultyInput, match="postgresql://"):
        create(tmp_path / "other", replace(settings, database=url))


def test_the_doctor_says_how_the_database_is(server, monkeypatch):
    findings = found(server)
    assert findings["PostgreSQL"][0] == findings["schema"][0] == findings["clock"][0] == "ok"
    assert findings["database"][1].startswith("answers in ")
    assert "write-ahead log" not in findings
    with postgres_offline.connected(chosen(server).database) as connection:
        safe = connection.execute("SHOW fsync").fetchone() == ("on",)
    assert findings["durability"][0] == ("ok" if safe else "failed")
    monkeypatch.setenv("ACMX_DATABASE", "postgresql://acmx:s3cret@127.0.0.1:1/acmx")
    status, text = found(server)["database"]
    assert status == "failed"
    assert "s3cret" not in text


def test_a_slow_answer_is_a_warning(server, monkeypatch):
    monkeypatch.setattr(examine_database, "SLOW_ANSWER", 0.0)
    assert found(server)["database"][0] == "warning"


def test_another_schema_is_refused_until_it_is_migrated(server, monkeypatch):
    monkeypatch.setattr("acmx.storage.migrations.load", lambda: [*ALL, LATER])
    with pytest.raises(Misconfigured, match="acmx migrate"):
        in_store(server, None)
    assert found(server)["schema"][0] == "failed"
    with hold(server), pytest.raises(DirectoryInUse):
        migrate(server)
    assert migrate(server) == (ALL[-1].number, LATER.number)
    assert migrate(server) == (LATER.number, LATER.number)
    assert found(server)["schema"][0] == "ok"
    monkeypatch.setattr("acmx.storage.migrations.load", lambda: ALL)
    with pytest.raises(Misconfigured, match="use the newer acmx"):
        migrate(server)


def test_a_backup_while_it_is_written_to_is_one_moment_and_comes_back_in_any_engine(
    server, tmp_path, monkeypatch
):
    async def saved(store):
        for n in range(BULK):
            await store.write(lambda tx, n=n: write(tx, n))
        saving = asyncio.create_task(asyncio.to_thread(backup, server, tmp_path / "saved"))
        n = BULK
        while not saving.done():
            await store.write(lambda tx, n=n: [write(tx, 2 * n), write(tx, 2 * n)])
            n += 1
        await saving

    in_store(server, saved)
    held = {}
    for name, url in (("file", ""), ("postgres", engines.database(tmp_path / "postgres"))):
        monkeypatch.setenv("ACMX_DATABASE", url)
        restore(tmp_path / "saved", tmp_path / name)
        assert (tmp_path / name / "acmx.db").exists() == (not url)
        held[name] = everything(tmp_path / name, "postgres" if url else "sqlite")
        serials = [row[0] for row in held[name]["journal"]]
        in_store(tmp_path / name, lambda store: store.write(lambda tx: write(tx, 1)))
        assert max(look(tmp_path / name, chosen(tmp_path / name), one_more))[0] == max(serials) + 1
    assert held["file"] == held["postgres"]
    fillers = [row for row in held["file"]["journal"] if row[2] == "filler"]
    assert len(fillers) > BULK
    assert (len(fillers) - BULK) % 2 == 0, "what was written together was saved together"
    monkeypatch.delenv("ACMX_DATABASE")
    with opened(tmp_path / "saved") as saved_journal:
        assert len(list(saved_journal.rows)) == len(held["file"]["journal"])


def one_more(tx):
    return tx.rows("SELECT MAX(serial) FROM journal")


def test_a_server_moves_from_its_file_to_postgres(directory, tmp_path, monkeypatch):
    before = everything(directory, "sqlite")
    backup(directory, tmp_path / "saved")
    monkeypatch.setenv("ACMX_DATABASE", engines.database(tmp_path / "moved"))
    restore(tmp_path / "saved", tmp_path / "moved")
    assert everything(tmp_path / "moved") == before


def test_nothing_is_restored_over_what_is_there(server, tmp_path):
    before = everything(server)
    backup(server, tmp_path / "saved")
    shutil.move(server, tmp_path / "gone")
    with pytest.raises(AlreadyThere, match="The database holds an ACM server"):
        restore(tmp_path / "saved", server)
    assert not server.exists()
    assert everything(tmp_path / "gone") == before


def test_a_restore_that_fails_leaves_the_database_empty(server, tmp_path, monkeypatch):
    backup(server, tmp_path / "saved")
    url = engines.database(tmp_path / "other")
    monkeypatch.setenv("ACMX_DATABASE", url)
    monkeypatch.setattr("acmx.storage.engines.transfer._copy", fail_at_journal)
    with pytest.raises(KeyError):
        restore(tmp_path / "saved", tmp_path / "other")
    assert not (tmp_path / "other").exists()
    with postgres_offline.connected(url) as connection:
        assert postgres_schema.present(connection) == 0


def fail_at_journal(_file, _connection, table, _columns):
    if table == "journal":
        raise KeyError
