"""The database of a directory: only `acmx init` and `acmx restore` make one, and it knows whose it is."""

import asyncio

import pytest
from msgspec.structs import replace

from acmx import config
from acmx.bootstrap.backup import backup, restore
from acmx.bootstrap.create import create
from acmx.bootstrap.database import look, open_store
from acmx.bootstrap.doctor.doctor import examine
from acmx.bootstrap.keep_certificates import certificates, publish_next
from acmx.bootstrap.keep_keys import keys, revoke, rotate
from acmx.bootstrap.migrate import migrate
from acmx.bootstrap.offline_audit import opened
from acmx.bootstrap.own import metadata
from acmx.domain.errors import Misconfigured
from acmx.flows.partnership import publish_metadata
from acmx.storage import migrations
from acmx.trust import key_files
from support.systems import engines
from support.systems.systems import System

pytestmark = pytest.mark.both

OTHER = "mc.fire.example"
KNOWN = migrations.load()
NEWEST = KNOWN[-1].number
SINCE = next(number for number, script in KNOWN if "own_system" in script)


@pytest.fixture
def server(engine, tmp_path, settings):
    place = tmp_path / "server"
    create(place, replace(settings, database=engines.database(place)))
    return System(place, None)


def empty(server):
    """Its disk is not mounted; or somebody emptied the database, or put another one in its place."""
    if server.config.database:
        engines.remake(server.config.database)
    else:
        for file in server.directory.glob("acmx.db*"):
            file.rename(file.with_name(f"unmounted-{file.name}"))


def rename(server, system):
    path = server.directory / "config.toml"
    path.write_text(path.read_text().replace(f'system = "{server.id}"', f'system = "{system}"'))


def serve(directory):
    asyncio.run(open_store(directory, config.read(directory / "config.toml"), print).close())


def audit(directory):
    with opened(directory) as journal:
        assert list(journal.rows)


OFFLINE = {
    "serve": serve,
    "migrate": migrate,
    "backup": lambda directory: backup(directory, directory.parent / "saved"),
    "audit": audit,
    "keys": keys,
    "rotate": lambda directory: rotate(directory, None),
    "revoke": lambda directory: revoke(directory, key_files.load(directory / "keys")[0].key.kid),
    "certificates": certificates,
    "next": lambda directory: publish_next(directory, None),
}


def files(directory):
    """But for the traces of having looked."""
    traces = ("lock", "acmx.db-shm", "acmx.db-wal")
    return {path: path.read_bytes() for path in directory.rglob("*.*") if path.name not in traces}


def refused(server, command, match):
    before = files(server.directory)
    with pytest.raises(Misconfigured, match=match):
        OFFLINE[command](server.directory)
    assert files(server.directory) == before
    assert not (server.directory.parent / "saved").exists()


def found(server):
    return {finding.name: finding for finding in examine(server.directory).items}


@pytest.mark.parametrize("command", OFFLINE)
def test_no_command_begins_with_an_empty_database(server, command):
    empty(server)
    refused(server, command, "nothing but acmx init and acmx restore makes")
    refused(server, command, "restore a backup")


def test_the_doctor_says_that_there_is_none(server):
    empty(server)
    findings = found(server).values()
    assert [f.name for f in findings if "nothing but acmx init and acmx restore makes" in f.text] in (
        ["database"],
        ["schema"],
    )


@pytest.mark.parametrize("command", OFFLINE)
def test_the_database_of_another_mc_system_is_refused(server, command):
    OFFLINE["serve"](server.directory)
    rename(server, OTHER)
    refused(server, command, f"is that of {server.id}, the configuration is that of {OTHER}")
    finding = found(server)["database"]
    assert (finding.status, f"that of {server.id}" in finding.text) == ("failed", True)


def before_it_knew(server):
    """As an acmx left it that did not keep whose it is."""
    gone = "DELETE FROM schema_version" if server.config.database else f"PRAGMA user_version = {SINCE - 1}"
    engines.change(server, "DROP TABLE own_system", "ALTER TABLE exchange DROP COLUMN addressee_alias", gone)
    if server.config.database:
        engines.change(server, f"INSERT INTO schema_version VALUES ({SINCE - 1})")


def owner(server):
    return engines.look(server, lambda tx: tx.rows("SELECT id FROM own_system"))


def publish(server):
    async def run():
        store = server.open_store()
        described = look_metadata(server)
        await store.write(lambda tx: publish_metadata.publish(tx, described, 0))
        await store.close()

    asyncio.run(run())


def look_metadata(server):
    held = key_files.load(server.directory / "keys")
    return metadata(
        server.directory, server.config, held, (server.directory / "tls" / "acm2.pem").read_text()
    )


def test_a_migration_keeps_whose_it_is_once(server):
    before_it_knew(server)
    with pytest.raises(Misconfigured, match="run acmx migrate"):
        serve(server.directory)
    assert migrate(server.directory) == (SINCE - 1, NEWEST)
    assert migrate(server.directory) == (NEWEST, NEWEST)
    assert owner(server) == [(server.id,)]
    serve(server.directory)


def test_a_migration_that_was_cut_off_before_that_is_finished(server):
    engines.change(server, "DELETE FROM own_system")
    with pytest.raises(Misconfigured, match="does not say whose it is: run acmx migrate"):
        serve(server.directory)
    migrate(server.directory)
    serve(server.directory)


def test_what_was_published_says_whose_an_older_database_is(server, tmp_path):
    publish(server)
    before_it_knew(server)
    rename(server, OTHER)
    refused(server, "migrate", f"is that of {server.id}")
    refused(server, "backup", f"is that of {server.id}|acmx migrate")
    rename(System(server.directory, None), server.id)
    migrate(server.directory)
    assert owner(server) == [(server.id,)]


def test_a_restored_one_knows_whose_it_is(server, tmp_path, monkeypatch):
    backup(server.directory, tmp_path / "saved")
    if server.config.database:
        monkeypatch.setenv("ACMX_DATABASE", engines.database(tmp_path / "restored"))
    restore(tmp_path / "saved", tmp_path / "restored")
    restored = System(tmp_path / "restored", None)
    assert look(restored.directory, restored.config, lambda tx: tx.rows("SELECT id FROM own_system")) == [
        (server.id,)
    ]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ("DROP TABLE spent", "table spent"),
        ("DROP INDEX exchange_open_with", "index exchange_open_with"),
        ("ALTER TABLE provisioning DROP COLUMN summary", "column provisioning.summary"),
    ],
)
def test_what_was_dropped_is_named_at_the_start_and_by_the_doctor(server, change, part):
    engines.change(server, change)
    with pytest.raises(Misconfigured, match=rf"lacks {part}: .*acmx restore"):
        serve(server.directory)
    finding = found(server)["schema"]
    assert (finding.status, part in finding.text) == ("failed", True)


def test_a_server_without_its_key_is_not_saved(server, tmp_path):
    (server.directory / "keys" / "signing.pem").rename(tmp_path / "signing.pem")
    refused(server, "backup", r"signing key .*signing\.pem cannot be read")
