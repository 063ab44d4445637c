"""Backup and restore: everything comes back, or nothing is there."""

import asyncio
import gzip
import hashlib
import os
import stat
import tarfile
import tempfile
from io import BytesIO
from itertools import count
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acmx.bootstrap.backup import MANIFEST, Manifest, backup, restore
from acmx.bootstrap.lock import hold
from acmx.domain.errors import AcmxError, AlreadyThere, FaultyInput, Misconfigured
from acmx.storage import journal
from acmx.storage.engines.sqlite import SqliteStore
from acmx.storage.engines.sqlite_connection import connect

pytestmark = pytest.mark.sqlite

BULK = 2_000


def contents(directory):
    """Every file but the database, whose header says how often it was opened."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and path.name != "acmx.db"
    }


def rows(directory, sql):
    connection = connect(directory / "acmx.db")
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def opened(file):
    """The members of an archive: (name, content) in their order."""
    with tarfile.open(file) as archive:
        return [(member.name, archive.extractfile(member).read()) for member in archive]


def packed(file, members, special=()):
    """An archive of these members; `special` are put in as they are."""
    file.unlink(missing_ok=True)
    with tarfile.open(file, "x:gz") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, BytesIO(content))
        for member in special:
            archive.addfile(member)


def with_manifest(members, **files):
    """The members under a manifest that fits them, and names these `files` (name: digest) too."""
    inside = [(name, content) for name, content in members if name != MANIFEST]
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in inside}
    manifest = msgspec.json.decode(dict(members)[MANIFEST], type=Manifest)
    fitting = msgspec.structs.replace(manifest, files=digests | files)
    return [(MANIFEST, msgspec.json.encode(fitting)), *inside]


@pytest.fixture
def saved(directory, tmp_path):
    file = tmp_path / "acm.backup"
    backup(directory, file)
    return file


def refused(file, tmp_path, match):
    """Nothing is there afterwards that was not there before."""
    before = set(tmp_path.rglob("*"))
    with pytest.raises(FaultyInput, match=match):
        restore(file, tmp_path / "restored")
    assert set(tmp_path.rglob("*")) == before


def test_what_was_saved_comes_back_with_its_modes(directory, saved, tmp_path):
    saved.chmod(0o644)
    restore(saved, tmp_path / "restored")
    assert contents(tmp_path / "restored") == contents(directory)
    for table in ("account", "policy", "journal"):
        assert rows(tmp_path / "restored", f"SELECT * FROM {table}") == rows(
            directory, f"SELECT * FROM {table}"
        )
    for path in (tmp_path / "restored", *(tmp_path / "restored").rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_a_backup_is_for_its_owner_alone_and_leaves_nothing_beside_it(saved, directory, tmp_path):
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert set(tmp_path.iterdir()) == {saved, directory}


def test_the_manifest_comes_first_and_names_every_file(saved):
    (first, manifest), *members = opened(saved)
    assert first == MANIFEST
    said = msgspec.json.decode(manifest, type=Manifest)
    assert said.system == "mc.police.example"
    assert said.files == {name: hashlib.sha256(content).hexdigest() for name, content in members}


def test_keys_and_certificates_that_came_later_are_saved_too(directory, tmp_path):
    (directory / "keys" / "signing-2027.pem").write_bytes(b"a later key")
    (directory / "keys" / ".signing.pem.draft").write_bytes(b"unfinished")
    (tmp_path / "elsewhere.pem").write_bytes(b"a linked certificate")
    (directory / "tls" / "acm1.pem").unlink()
    (directory / "tls" / "acm1.pem").symlink_to(tmp_path / "elsewhere.pem")
    backup(directory, tmp_path / "acm.backup")
    restore(tmp_path / "acm.backup", tmp_path / "restored")
    restored = contents(tmp_path / "restored")
    assert restored["keys/signing-2027.pem"] == b"a later key"
    assert restored["tls/acm1.pem"] == b"a linked certificate"
    assert not (tmp_path / "restored" / "tls" / "acm1.pem").is_symlink()
    assert "keys/.signing.pem.draft" not in restored


@pytest.mark.law(12)
def test_a_file_is_never_overwritten_by_a_backup(directory, saved, tmp_path):
    before = saved.read_bytes()
    with pytest.raises(AlreadyThere):
        backup(directory, saved)
    assert saved.read_bytes() == before
    assert set(tmp_path.iterdir()) == {saved, directory}


def test_a_taken_name_is_refused_before_anything_is_read(saved, tmp_path):
    with pytest.raises(AlreadyThere):
        backup(tmp_path / "nowhere", saved)


@pytest.mark.law(12)
def test_a_name_that_was_taken_while_the_backup_was_made_is_not_overwritten(directory, tmp_path):
    file = tmp_path / "acm.backup"
    file.symlink_to("taken")  # does not exist, so the first look does not see it
    with pytest.raises(AlreadyThere):
        backup(directory, file)
    assert file.is_symlink()
    assert set(tmp_path.iterdir()) == {file, directory}


@pytest.mark.law(12)
def test_a_directory_is_never_overwritten_by_a_restore(directory, saved):
    before = contents(directory)
    with pytest.raises(AlreadyThere):
        restore(saved, directory)
    assert contents(directory) == before


def test_a_backup_needs_no_lock(directory, tmp_path):
    with hold(directory):
        backup(directory, tmp_path / "acm.backup")
    restore(tmp_path / "acm.backup", tmp_path / "restored")
    assert not (tmp_path / "restored" / "lock").exists()


def test_a_transaction_under_way_neither_waits_nor_is_saved(directory, tmp_path):
    writer = connect(directory / "acmx.db")
    writer.execute("BEGIN IMMEDIATE; DELETE FROM account")
    backup(directory, tmp_path / "acm.backup")
    writer.execute("COMMIT")
    writer.close()
    restore(tmp_path / "acm.backup", tmp_path / "restored")
    assert rows(tmp_path / "restored", "SELECT name FROM account") == [("admin",)]


@pytest.mark.law(1)
def test_a_backup_of_a_busy_store_holds_whole_plans_and_every_one_acknowledged_before(directory, tmp_path):
    acknowledged = []

    def plan(number):
        def act(tx):
            for half in ("first", "second"):
                journal.write(tx, number, half, "test", padding="x" * 1_000)

        return act

    async def scenario():
        store = SqliteStore.open(directory / "acmx.db", on_fatal=print)
        numbers = count(1)

        async def write():
            number = next(numbers)
            await store.write(plan(number))
            acknowledged.append(number)

        async def write_on():
            while not saving.done():
                await write()

        await asyncio.gather(*(write() for _ in range(BULK)))
        before = len(acknowledged)
        saving = asyncio.create_task(asyncio.to_thread(backup, directory, tmp_path / "acm.backup"))
        await asyncio.gather(*(write_on() for _ in range(8)))
        await saving
        await store.close()
        return before

    before = asyncio.run(scenario())
    restore(tmp_path / "acm.backup", tmp_path / "restored")
    halves = {
        half: {at for (at,) in rows(tmp_path / "restored", f"SELECT at FROM journal WHERE event = '{half}'")}
        for half in ("first", "second")
    }
    assert len(acknowledged) > before
    assert halves["first"] == halves["second"]
    assert set(acknowledged[:before]) <= halves["first"] <= set(acknowledged)


@pytest.mark.parametrize("at", ["config.toml", "keys/signing.pem", "acmx.db"])
def test_a_changed_file_is_refused(saved, tmp_path, at):
    packed(saved, [(name, content + b" " * (name == at)) for name, content in opened(saved)])
    refused(saved, tmp_path, f"{at}: is not what the manifest says")


def test_a_missing_file_is_refused(saved, tmp_path):
    packed(saved, [(name, content) for name, content in opened(saved) if name != "tls/acm1.key"])
    refused(saved, tmp_path, "acm1.key: is in the manifest, but missing")


def test_a_file_that_the_manifest_does_not_name_is_refused(saved, tmp_path):
    packed(saved, [*opened(saved), ("keys/another.pem", b"")])
    refused(saved, tmp_path, "another.pem: has no place")


def test_a_file_given_twice_is_refused(saved, tmp_path):
    packed(saved, [*opened(saved), opened(saved)[1]])
    refused(saved, tmp_path, "config.toml: has no place")


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/tmp/evil",
        "keys/../evil",
        "keys/a/b",
        "keys/..",
        "keys/.hidden",
        "evil",
        "lock",
        "keys/a\0b",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused_even_if_the_manifest_names_it(saved, tmp_path, name):
    packed(saved, with_manifest([*opened(saved), (name, b"evil")]))
    refused(saved, tmp_path, "has no place|missing|U.0000")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_what_is_no_regular_file_is_refused_even_if_the_manifest_names_it(saved, tmp_path, kind):
    member = tarfile.TarInfo("keys/evil")
    member.type, member.linkname = kind, "signing.pem"
    packed(saved, with_manifest(opened(saved), **{"keys/evil": hashlib.sha256().hexdigest()}), [member])
    refused(saved, tmp_path, "evil: has no place")


@pytest.mark.parametrize("at", ["config.toml", "acmx.db"])
def test_a_backup_without_the_necessary_is_refused(saved, tmp_path, at):
    packed(saved, with_manifest([(name, content) for name, content in opened(saved) if name != at]))
    refused(saved, tmp_path, f"{at}: must be in a backup")


def test_an_archive_that_does_not_begin_with_a_manifest_is_refused(saved, tmp_path):
    packed(saved, opened(saved)[::-1])
    refused(saved, tmp_path, "manifest.json: must come first")


@pytest.mark.parametrize("manifest", [b"", b"{}", b"[]", b'{"acmx": 1}'])
def test_an_unreadable_manifest_is_refused(saved, tmp_path, manifest):
    packed(saved, [(MANIFEST, manifest), *opened(saved)[1:]])
    refused(saved, tmp_path, r"manifest\.json: ")


@pytest.mark.parametrize("harm", ["no database at all", "an index that lacks a row"])
def test_an_unsound_database_is_refused_even_if_the_manifest_fits(saved, tmp_path, directory, harm):
    broken = b"no database at all" * 100 if harm.startswith("no") else without_index_rows(directory)
    members = [(name, broken if name == "acmx.db" else content) for name, content in opened(saved)]
    packed(saved, with_manifest(members))
    refused(saved, tmp_path, "acmx.db: is no sound database")


def without_index_rows(directory):
    """The database with the index of exchanges by id pointing at the empty root of another one."""
    connection = connect(directory / "acmx.db")
    connection.execute(
        "INSERT INTO noted VALUES ('mc.police.example', 'x', 1, 'y', 0);"
        "PRAGMA writable_schema = on;"
        "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'outbox_place')"
        " WHERE name = 'noted_once'"
    )
    connection.close()
    return (directory / "acmx.db").read_bytes()


@pytest.mark.parametrize("content", [b"", b"no archive", os.urandom(2_000)])
def test_what_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "acm.backup").write_bytes(content)
    refused(tmp_path / "acm.backup", tmp_path, "is no backup of acmx|must come first")


@pytest.fixture(scope="module")
def sound(pattern, tmp_path_factory):
    file = tmp_path_factory.mktemp("sound") / "acm.backup"
    backup(pattern, file)
    return file.read_bytes()


def damaged(content, place, bits):
    """One byte changed, or with no `bits` the end cut off."""
    return content[:place] + (bytes([content[place] ^ bits]) + content[place + 1 :] if bits else b"")


@settings(max_examples=60)
@given(place=st.integers(0), bits=st.integers(0, 255), inside=st.booleans())
def test_a_damaged_archive_comes_back_whole_or_not_at_all(pattern, sound, place, bits, inside):
    content = gzip.decompress(sound) if inside else sound
    content = damaged(content, place % len(content), bits)
    with tempfile.TemporaryDirectory() as folder:
        file, target = Path(folder, "acm.backup"), Path(folder, "restored")
        file.write_bytes(gzip.compress(content, 1) if inside else content)
        try:
            restore(file, target)
        except FaultyInput:
            assert set(Path(folder).iterdir()) == {file}
        else:
            assert contents(target) == contents(pattern)


def test_a_directory_of_nobody_is_not_saved(tmp_path):
    with pytest.raises(Misconfigured, match=r"config\.toml"):
        backup(tmp_path, tmp_path / "acm.backup")
    assert not list(tmp_path.iterdir())


def test_a_database_that_cannot_be_read_is_not_saved(directory, tmp_path):
    (directory / "acmx.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(AcmxError, match="cannot be read"):
        backup(directory, tmp_path / "acm.backup")
    assert set(tmp_path.iterdir()) == {directory}


@pytest.mark.parametrize("changed", ["config.toml", MANIFEST, "both"])
def test_what_is_not_of_one_mc_system_is_refused(saved, tmp_path, changed):
    other = b"mc.another.example"
    members = opened(saved)
    if changed != MANIFEST:
        members = [
            (name, content.replace(b"mc.police.example", other) if name == "config.toml" else content)
            for name, content in members
        ]
    members = with_manifest(members)
    if changed != "config.toml":
        manifest = msgspec.json.decode(members[0][1], type=Manifest)
        members[0] = (
            MANIFEST,
            msgspec.json.encode(msgspec.structs.replace(manifest, system=other.decode())),
        )
    packed(tmp_path / "other.backup", members)
    before = set(tmp_path.iterdir())
    with pytest.raises(AcmxError, match=r"mc\.another\.example"):
        restore(tmp_path / "other.backup", tmp_path / "restored")
    assert set(tmp_path.iterdir()) == before


def test_what_has_no_key_is_refused(saved, tmp_path):
    members = with_manifest([member for member in opened(saved) if member[0] != "keys/signing.pem"])
    packed(tmp_path / "other.backup", members)
    with pytest.raises(Misconfigured, match="signing key"):
        restore(tmp_path / "other.backup", tmp_path / "restored")
    assert not (tmp_path / "restored").exists()
