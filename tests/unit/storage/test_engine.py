import asyncio
import shutil
import stat
from contextlib import closing

import apsw
import pytest

from acmx.domain.errors import Misconfigured, UnsafeLibrary
from acmx.storage.engines import sqlite_connection
from acmx.storage.engines.sqlite import SqliteStore
from acmx.storage.migrations import Migration, done, load, pending

NUMBERS = Migration(1, "CREATE TABLE number (n INTEGER PRIMARY KEY, name TEXT) STRICT")


def unexpected(error):
    raise AssertionError(error)


def opened(path, *migrations):
    return SqliteStore.open(path, migrations=migrations or (NUMBERS,), on_fatal=unexpected, make=True)


def in_store(path, scenario, *migrations):
    async def run():
        store = opened(path, *migrations)
        try:
            return await scenario(store)
        finally:
            await store.close()

    return asyncio.run(run())


def insert(n, name=None):
    return lambda tx: tx.execute("INSERT INTO number VALUES (:n, :name)", {"n": n, "name": name})


def every_number(tx):
    return [n for (n,) in tx.rows("SELECT n FROM number ORDER BY n")]


def test_a_transaction_tells_rows_changed_first_row_and_all_rows(tmp_path):
    async def scenario(store):
        assert await store.write(insert(1, "one")) == 1
        assert await store.write(insert(2, "two")) == 1
        assert await store.write(lambda tx: tx.execute("UPDATE number SET name = 'many'")) == 2
        assert await store.write(lambda tx: tx.execute("DELETE FROM number WHERE n = :n", {"n": 9})) == 0
        both = await store.read(lambda tx: tx.rows("SELECT n, name FROM number ORDER BY n"))
        assert both == [(1, "many"), (2, "many")]
        named = {"n": 2, "not in the statement": None}
        assert await store.read(lambda tx: tx.row("SELECT n FROM number WHERE n = :n", named)) == (2,)
        assert await store.read(lambda tx: tx.row("SELECT n FROM number WHERE n = :n", {"n": 9})) is None

    in_store(tmp_path / "db", scenario)


def test_a_missing_parameter_is_an_error_and_not_null(tmp_path):
    async def scenario(store):
        with pytest.raises(KeyError):
            await store.read(lambda tx: tx.rows("SELECT :absent", {}))

    in_store(tmp_path / "db", scenario)


def test_a_read_cannot_write(tmp_path):
    async def scenario(store):
        with pytest.raises(apsw.ReadOnlyError):
            await store.read(insert(1))
        assert await store.read(every_number) == []

    in_store(tmp_path / "db", scenario)


def test_a_read_sees_one_snapshot_whatever_is_committed_meanwhile(tmp_path):
    def look(tx):
        before = every_number(tx)
        with apsw.Connection(str(tmp_path / "db")) as other:
            other.execute("INSERT INTO number VALUES (2, NULL)")
        return before, every_number(tx)

    async def scenario(store):
        await store.write(insert(1))
        assert await store.read(look) == ([1], [1])
        assert await store.read(every_number) == [1, 2]

    in_store(tmp_path / "db", scenario)


def test_a_read_that_raises_does_not_hold_its_snapshot(tmp_path):
    def look(tx):
        every_number(tx)
        raise LookupError

    async def scenario(store):
        with pytest.raises(LookupError):
            await store.read(look)
        await store.write(insert(1))
        assert await store.read(every_number) == [1]

    in_store(tmp_path / "db", scenario)


def test_foreign_keys_hold(tmp_path):
    child = Migration(2, "CREATE TABLE child (n INTEGER REFERENCES number)")

    async def scenario(store):
        with pytest.raises(apsw.ConstraintError):
            await store.write(lambda tx: tx.execute("INSERT INTO child VALUES (7)"))

    in_store(tmp_path / "db", scenario, NUMBERS, child)


def test_the_files_are_for_their_owner_alone(tmp_path):
    (tmp_path / "db").touch(mode=0o644)

    async def scenario(store):
        await store.write(insert(1))
        return {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}

    assert in_store(tmp_path / "db", scenario) == {"db": 0o600, "db-wal": 0o600, "db-shm": 0o600}


def test_what_a_crash_left_in_the_wal_is_in_the_database_file_once_open(tmp_path):
    crashed = tmp_path / "crashed"
    crashed.mkdir()

    async def crash(store):
        await store.write(insert(1))
        for name in ("db", "db-wal"):
            shutil.copy(tmp_path / name, crashed)

    async def restart(store):
        assert (crashed / "db-wal").stat().st_size == 0
        assert await store.read(every_number) == [1]

    in_store(tmp_path / "db", crash)
    in_store(crashed / "db", restart)


def migrated(path, *migrations):
    with closing(sqlite_connection.connect(path)) as connection:
        sqlite_connection.migrate(connection, migrations)


RENAME = Migration(2, "ALTER TABLE number RENAME name TO label; UPDATE number SET label = label || '!'")


def test_pending_migrations_run_once_and_in_order(tmp_path):
    async def first(store):
        await store.write(insert(1, "one"))

    async def second(store):
        return await store.read(lambda tx: tx.rows("SELECT n, label FROM number"))

    in_store(tmp_path / "db", first)
    for _command in range(2):
        migrated(tmp_path / "db", NUMBERS, RENAME)
        assert in_store(tmp_path / "db", second, NUMBERS, RENAME) == [(1, "one!")]


def test_a_schema_older_than_known_is_refused_and_left_as_it_is(tmp_path):
    async def untouched(store):
        return await store.read(lambda tx: tx.rows("SELECT name FROM number"))

    in_store(tmp_path / "db", lambda store: store.write(insert(1, "one")))
    with pytest.raises(Misconfigured, match=r"has schema 1; this acmx needs 2: .* acmx migrate"):
        opened(tmp_path / "db", NUMBERS, RENAME)
    assert in_store(tmp_path / "db", untouched) == [("one",)]


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path):
    broken = Migration(2, "CREATE TABLE half (n); CREATE TABLE number (n)")
    in_store(tmp_path / "db", lambda store: store.read(every_number))
    with pytest.raises(apsw.SQLError, match="already exists"):
        migrated(tmp_path / "db", NUMBERS, broken)

    async def scenario(store):
        return await store.read(lambda tx: tx.rows("SELECT name FROM sqlite_schema WHERE type = 'table'"))

    assert in_store(tmp_path / "db", scenario) == [("number",)]


def test_a_schema_newer_than_known_is_refused(tmp_path):
    async def nothing(store):
        pass

    in_store(tmp_path / "db", nothing, NUMBERS, Migration(2, "CREATE TABLE later (n)"))
    with pytest.raises(Misconfigured, match="has schema 2; this acmx knows 1"):
        opened(tmp_path / "db", NUMBERS)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "db").write_bytes(b"no database" * 1000)
    with pytest.raises(Misconfigured, match="not a database"):
        opened(tmp_path / "db")


def test_only_who_means_to_makes_a_database(tmp_path):
    with pytest.raises(Misconfigured, match="is missing"):
        SqliteStore.open(tmp_path / "db", migrations=(NUMBERS,), on_fatal=unexpected)
    assert not (tmp_path / "db").exists()
    (tmp_path / "db").touch()
    with pytest.raises(Misconfigured, match="is empty"):
        SqliteStore.open(tmp_path / "db", migrations=(NUMBERS,), on_fatal=unexpected)


@pytest.mark.parametrize("version", ["3.51.2", "3.40.1"])
def test_a_library_with_the_wal_reset_bug_is_refused(tmp_path, monkeypatch, version):
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: version)
    with pytest.raises(UnsafeLibrary, match=version):
        opened(tmp_path / "db")
    assert not (tmp_path / "db").exists()


def test_migrations_are_the_numbered_scripts_of_a_folder(tmp_path):
    (tmp_path / "0002_second.sql").write_text("two")
    (tmp_path / "0001_first.sql").write_text("one")
    (tmp_path / "README").write_text("no script")
    assert load(tmp_path) == [Migration(1, "one"), Migration(2, "two")]


def test_the_first_migration_may_make_what_many_made_before(tmp_path):
    (tmp_path / "0015_baseline.sql").write_text("all")
    (tmp_path / "0016_next.sql").write_text("next")
    assert load(tmp_path) == [Migration(15, "all"), Migration(16, "next")]


ALL, NEXT = Migration(15, "all"), Migration(16, "next")


@pytest.mark.parametrize(
    ("present", "left"), [(0, [ALL, NEXT]), (15, [NEXT]), (16, [])], ids=["none", "baseline", "newest"]
)
def test_what_is_pending_is_told_by_the_number(present, left):
    assert pending(present, [ALL, NEXT]) == left
    assert done(present, [ALL, NEXT]) == [m for m in (ALL, NEXT) if m not in left]


@pytest.mark.parametrize(
    ("present", "words"),
    [
        (1, "has schema 1, .*before the first release; .* begins with schema 15"),
        (14, "has schema 14, .*Run acmx migrate of an older acmx"),
        (17, "has schema 17; this acmx knows 16: use the newer acmx"),
    ],
)
def test_a_version_that_no_migration_makes_is_refused(present, words):
    for ask in (pending, done):
        with pytest.raises(Misconfigured, match=words):
            ask(present, [ALL, NEXT])


@pytest.mark.parametrize(
    "names",
    [
        ["0000_a.sql"],
        ["0001_a.sql", "0003_c.sql"],
        ["0015_a.sql", "0017_c.sql"],
        ["0001_a.sql", "0001_b.sql"],
    ],
)
def test_migrations_with_a_gap_or_a_doublet_are_refused(tmp_path, names):
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(Misconfigured):
        load(tmp_path)
