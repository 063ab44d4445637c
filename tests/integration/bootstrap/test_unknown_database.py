"""A database of an earlier acmx is brought up; one that acmx does not know is refused, and left as it is."""

import asyncio
from contextlib import closing

import apsw
import pytest
from msgspec.structs import replace

from acmx import config
from acmx.bootstrap.backup import backup, restore
from acmx.bootstrap.create import create
from acmx.bootstrap.database import DATABASE, look, open_store
from acmx.bootstrap.doctor.doctor import examine
from acmx.bootstrap.migrate import migrate
from acmx.domain.errors import Misconfigured
from acmx.storage import migrations
from acmx.storage.engines import transfer
from acmx.storage.migrations import Migration
from support.systems import engines, schema_parts
from support.systems.another import another_connection
from support.systems.systems import System

pytestmark = pytest.mark.both

KNOWN = migrations.load()
NEWEST = KNOWN[-1].number
THEIRS = ("CREATE TABLE orders (n BIGINT)", "INSERT INTO orders VALUES (7)")


@pytest.fixture
def server(engine, tmp_path, settings):
    place = tmp_path / "server"
    create(place, replace(settings, database=engines.database(place)))
    return System(place, None)


def serve(directory):
    asyncio.run(open_store(directory, config.read(directory / "config.toml"), print).close())


COMMANDS = {
    "serve": serve,
    "migrate": migrate,
    "backup": lambda directory: backup(directory, directory.parent / "saved"),
}


def number(server, version):
    if server.config.database:
        return ("DELETE FROM schema_version", f"INSERT INTO schema_version VALUES ({version})")
    return (f"PRAGMA user_version = {version}",)


def another_application(server, *statements):
    """It has made its tables in the place of ours."""
    if server.config.database:
        engines.remake(server.config.database)
    else:
        for file in server.directory.glob(f"{DATABASE}*"):
            file.unlink()
        (server.directory / DATABASE).touch()
    engines.change(server, *THEIRS, *statements)


def numbered(server, version):
    """As some applications number their own schema in the same place."""
    made = ["CREATE TABLE schema_version (version BIGINT NOT NULL)"] if server.config.database else []
    return (*made, *number(server, version))


def held(server):
    """All that is in the database; of a file every byte of it too, as it is no WAL database before it was opened."""
    file = b"" if server.config.database else (server.directory / DATABASE).read_bytes()
    with engines.engine("postgres" if server.config.database else "sqlite"):
        return file, engines.look(server, engines.tables)


def refused(server, command, match):
    before = held(server)
    with pytest.raises(Misconfigured, match=match):
        COMMANDS[command](server.directory)
    assert held(server) == before
    assert not (server.directory.parent / "saved").exists()


def findings(server):
    return {finding.name: (finding.status, finding.text) for finding in examine(server.directory).items}


@pytest.mark.parametrize("command", COMMANDS)
def test_another_applications_database_is_refused(server, command):
    another_application(server)
    refused(server, command, "no schema of an ACM server, but table orders: it is another application's")
    assert "table orders" in findings(server)["schema"][1]
    engines.change(server, *numbered(server, KNOWN[1].number))
    refused(server, command, r"no schema of an ACM server, but table orders")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("version", "words"),
    [
        (KNOWN[0].number - 1, f"before the first release; this acmx begins with schema {KNOWN[0].number}"),
        (NEWEST + 1, f"this acmx knows {NEWEST}: use the newer acmx"),
    ],
    ids=["before", "newer"],
)
def test_an_unknown_schema_is_refused(server, command, version, words):
    engines.change(server, *number(server, version))
    refused(server, command, f"has schema {version}.*{words}")
    assert findings(server)["schema"][0] == "failed"


def test_what_lacks_a_part_is_not_migrated(server):
    engines.change(server, "DROP TABLE spent", *number(server, NEWEST - 1))
    refused(server, "migrate", "lacks table spent")


def test_nothing_is_made_or_restored_among_the_tables_of_others(server, tmp_path, settings, monkeypatch):
    if not server.config.database:
        pytest.skip("A new directory has a new file.")
    backup(server.directory, tmp_path / "saved")
    flyway = "CREATE TABLE schema_version (version TEXT NOT NULL, script TEXT)"
    for statements, match in (((), "table orders"), ((flyway,), "schema_version is not acmx's")):
        another_application(server, *statements)
        monkeypatch.setenv("ACMX_DATABASE", server.config.database)
        before = held(server)
        for make in (
            lambda: create(tmp_path / "other", replace(settings, database=server.config.database)),
            lambda: restore(tmp_path / "saved", tmp_path / "other"),
            lambda: migrate(server.directory),
        ):
            with pytest.raises(Misconfigured, match=match):
                make()
        assert held(server) == before
        assert not (tmp_path / "other").exists()


def test_a_table_of_an_extension_is_in_nobodys_way(server, tmp_path, settings):
    if not server.config.database:
        pytest.skip("SQLite has none.")
    engines.remake(server.config.database)
    engines.change(server, *THEIRS)
    engines.change(server, "ALTER EXTENSION plpgsql ADD TABLE orders")
    create(tmp_path / "other", replace(settings, database=server.config.database))


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ([Migration(NEWEST + 1, "CREATE TABLE account (n BIGINT)")], "from before the first release"),
        (KNOWN[:-1], "use the newer acmx"),
    ],
    ids=["before", "newer"],
)
def test_a_backup_of_an_unknown_schema_is_not_restored(server, tmp_path, monkeypatch, known, words):
    backup(server.directory, tmp_path / "saved")
    if server.config.database:
        monkeypatch.setenv("ACMX_DATABASE", engines.database(tmp_path / "other"))
    monkeypatch.setattr("acmx.storage.migrations.load", lambda: known)
    with pytest.raises(Misconfigured, match=words):
        restore(tmp_path / "saved", tmp_path / "other")
    assert not (tmp_path / "other").exists()


def left_at_15(server, place):
    """The database as an acmx left it that had the fifteen migrations, with what a new server holds."""
    backup(server.directory, place / "now")
    restore_to_file(place)
    with closing(another_connection(place / "now-server" / DATABASE)) as now:
        rows = {table: now.execute(f"SELECT * FROM {table}").fetchall() for table in ("account", "policy")}
    old = place / "old.db"
    with closing(apsw.Connection(str(old))) as file:
        file.execute((schema_parts.KEPT / "sqlite.sql").read_text())
        for table, found in rows.items():
            for row in found:
                file.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    if server.config.database:
        engines.remake(server.config.database)
        transfer.to_postgres(old, server.config.database)
    else:
        for file in server.directory.glob(f"{DATABASE}*"):
            file.unlink()
        old.rename(server.directory / DATABASE)


def restore_to_file(place):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACMX_DATABASE", "")
        restore(place / "now", place / "now-server")


def test_a_database_at_the_baseline_is_saved_brought_up_and_serves(server, tmp_path, settings):
    left_at_15(server, tmp_path)
    with pytest.raises(Misconfigured, match=f"has schema 15; this acmx needs {NEWEST}: back it up, then run"):
        serve(server.directory)
    backup(server.directory, tmp_path / "saved")
    assert migrate(server.directory) == (15, NEWEST)
    serve(server.directory)
    accounts = look(server.directory, server.config, lambda tx: tx.rows("SELECT name FROM account"))
    assert accounts == [(settings.account,)]
    assert findings(server)["schema"] == ("ok", str(NEWEST))
