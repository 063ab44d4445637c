"""Backup and restore: one archive (tar.gz) with everything that an ACM server needs to begin where it was.

The first member of the archive is its manifest, `manifest.json`; then come the configuration, the keys, the
certificates and a copy of the database: a SQLite file, whatever engine it comes from and goes to. The archive
holds the private keys: keep it as safe as the server.
"""

import os
import re
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from hashlib import file_digest, sha256
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import apsw
from msgspec import Struct, structs

from acmx import __version__, config
from acmx.bootstrap.create import KEYS, TLS
from acmx.bootstrap.database import DATABASE, filling, read_only, require_postgres
from acmx.bootstrap.new_directory import CONFIG, new_directory
from acmx.config import Config
from acmx.domain.documents import encode, read
from acmx.domain.errors import AcmxError, AlreadyThere, FaultyInput
from acmx.domain.faults import Fault
from acmx.domain.messages import Moment
from acmx.storage import migrations, own_system, schema
from acmx.storage.engines.sqlite_connection import SqliteTx, connect, present, require_safe_library
from acmx.trust import key_files
from acmx.trust.keys import sync

MANIFEST = "manifest.json"
_KNOWN = re.compile(rf"{re.escape(CONFIG)}|{re.escape(DATABASE)}|(?:{KEYS}|{TLS})/[^./\0][^/\0]*")
_CHUNK = 1 << 20


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """What was backed up, when, by which acmx; `files` holds the SHA-256 (hexadecimal) of each, by its name."""

    acmx: str
    system: str
    created_at: Moment
    files: dict[str, str]


def backup(directory: Path, file: Path) -> None:
    """Write a new, durable archive (mode 0600) of the directory, also while a server runs in it.

    The database is copied as one commit left it, and the copy is checked; no writer waits for that.
    Raises AlreadyThere where `file` exists, FaultyInput where the database is damaged, Misconfigured, OSError,
    AcmxError.
    """
    require_safe_library()
    if file.exists():
        raise AlreadyThere(f"{file} exists.")
    chosen = config.read(directory / CONFIG)
    key_files.load(directory / KEYS)
    with TemporaryDirectory(dir=file.parent, prefix=f".{file.name}.") as place:
        copy, draft = Path(place, DATABASE), Path(place, "archive")
        _copy_database(directory, chosen, copy)
        _require_sound(copy, chosen.system)
        _pack(
            draft, chosen.system, {name: (directory / name).read_bytes() for name in _names(directory)}, copy
        )
        _publish(draft, file)
    sync(file.parent)


def restore(file: Path, directory: Path) -> None:
    """Make the directory anew from an archive, whole or not at all.

    Where its configuration, or the environment, names a PostgreSQL database, that is filled.
    Raises AlreadyThere where the directory or that database is not empty; FaultyInput where the archive holds what
    it should not, or not exactly what its manifest says; Misconfigured where configuration, key and database cannot
    be used, or are not of one MC system; TemporarilyUnavailable where the synchronous standby has not confirmed the
    database; OSError.
    """
    with _unpacked(file, directory, os.environ) as (draft, chosen):
        key_files.load(draft / KEYS)
        if url := chosen.database:
            require_postgres()
            from acmx.storage.engines.transfer import to_postgres  # noqa: PLC0415

            with filling(chosen):
                to_postgres(draft / DATABASE, url)
            (draft / DATABASE).unlink()


def unpack(file: Path, directory: Path) -> Config:
    """As `restore`, but the database is the file in the directory, as the configuration that is returned says."""
    with _unpacked(file, directory, {}) as (_, chosen):
        return structs.replace(chosen, database="")


@contextmanager
def _unpacked(file: Path, directory: Path, environment: Mapping[str, str]) -> Iterator[tuple[Path, Config]]:
    """The draft of the directory, and its configuration with the environment over it."""
    require_safe_library()
    with new_directory(directory) as draft:
        for folder in (KEYS, TLS):
            (draft / folder).mkdir(mode=0o700)
        try:
            with tarfile.open(file, "r|gz") as archive:
                system = _unpack(archive, draft)
        except tarfile.TarError as error:
            raise _bad(str(file), f"is no backup of acmx, or damaged: {error}") from error
        chosen = config.read(draft / CONFIG, environment)
        if chosen.system != system:
            raise _bad(CONFIG, f"is that of {chosen.system}, and the backup that of {system}")
        _require_sound(draft / DATABASE, system)
        yield draft, chosen


def _copy_database(directory: Path, chosen: Config, copy: Path) -> None:
    if chosen.database:
        require_postgres()
        from acmx.storage.engines.transfer import to_file  # noqa: PLC0415

        to_file(chosen.database, copy)
        return
    source = directory / DATABASE
    with read_only(source) as connection:
        _require_own(connection, chosen.system)
    try:
        with (
            closing(connect(source)) as origin,
            closing(apsw.Connection(str(copy))) as target,
            target.backup("main", origin, "main") as copying,
        ):
            copying.step()
    except apsw.Error as error:
        raise AcmxError(f"{source} cannot be copied: {error}") from error


def _names(directory: Path) -> Iterator[str]:
    """The files beside the database; what begins with a dot is the draft of another."""
    yield CONFIG
    for folder in (KEYS, TLS):
        names = sorted(path.name for path in (directory / folder).iterdir())
        yield from (f"{folder}/{name}" for name in names if not name.startswith("."))


def _pack(draft: Path, system: str, contents: dict[str, bytes], copy: Path) -> None:
    now = datetime.now(UTC)
    digests = {name: sha256(content).hexdigest() for name, content in contents.items()}
    with copy.open("rb") as database:
        digests[DATABASE] = file_digest(database, "sha256").hexdigest()
        manifest = encode(Manifest(__version__, system, now, digests))
        database.seek(0)
        with tarfile.open(draft, "x:gz") as archive:
            for name, content in {MANIFEST: manifest, **contents}.items():
                _add(archive, name, len(content), BytesIO(content), now)
            _add(archive, DATABASE, copy.stat().st_size, database, now)


def _add(archive: tarfile.TarFile, name: str, size: int, content: IO[bytes], now: datetime) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, int(now.timestamp())
    archive.addfile(member, content)


def _publish(draft: Path, file: Path) -> None:
    """Give the draft its name, which is taken first: a rename alone would overwrite."""
    draft.chmod(0o600)
    sync(draft)
    try:
        file.touch(mode=0o600, exist_ok=False)
    except FileExistsError as error:
        raise AlreadyThere(f"{file} exists.") from error
    draft.replace(file)


def _unpack(archive: tarfile.TarFile, draft: Path) -> str:
    """Whose it is. Nothing is written but regular files, each once, under a known name that the manifest holds."""
    manifest = _manifest(archive)
    left = dict(manifest.files)
    while member := archive.next():
        expected = left.pop(member.name, None)
        content = archive.extractfile(member) if member.isreg() else None
        if expected is None or content is None or not _KNOWN.fullmatch(member.name):
            raise _bad(member.name, "has no place in a backup")
        if _write(draft / member.name, content) != expected:
            raise _bad(member.name, "is not what the manifest says")
    if left:
        raise _bad(min(left), "is in the manifest, but missing")
    return manifest.system


def _manifest(archive: tarfile.TarFile) -> Manifest:
    first = archive.next()
    content = archive.extractfile(first) if first and first.isreg() and first.name == MANIFEST else None
    if content is None:
        raise _bad(MANIFEST, "must come first in a backup")
    try:
        manifest = read(content.read(), Manifest)
    except FaultyInput as error:
        raise _bad(MANIFEST, error.detail) from error
    for name in (CONFIG, DATABASE):
        if name not in manifest.files:
            raise _bad(name, "must be in a backup")
    return manifest


def _write(path: Path, content: IO[bytes]) -> str:
    """Its SHA-256 (hexadecimal)."""
    digest = sha256()
    with path.open("xb") as file:
        path.chmod(0o600)
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _require_sound(database: Path, system: str) -> None:
    """Raises FaultyInput where it is damaged; Misconfigured where it is empty, another's, or of an unknown schema."""
    try:
        with closing(connect(database)) as connection:
            found = [text for (text,) in connection.execute("PRAGMA integrity_check(3)")]
            if found == ["ok"]:
                _require_own(connection, system)
    except apsw.Error as error:
        raise _bad(DATABASE, f"is no sound database: {error}") from error
    if found != ["ok"]:
        raise _bad(DATABASE, f"is no sound database: {'; '.join(map(str, found))}")


def _require_own(connection: apsw.Connection, system: str) -> None:
    version, there = present(connection), schema.parts(connection)
    schema.require_own(version, there, migrations.load())
    schema.require_any(version)
    own_system.require_no_other(SqliteTx(connection), there, system)


def _bad(field: str, rule: str) -> FaultyInput:
    return FaultyInput([Fault(field, "", rule)])
