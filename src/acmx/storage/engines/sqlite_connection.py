"""Connections to the SQLite file: how they are opened, migrated and spoken to, and what their errors mean."""

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import apsw

from acmx.domain.errors import Misconfigured, UnsafeLibrary
from acmx.storage import schema
from acmx.storage.engine import NO_PARAMS
from acmx.storage.engines.troubles import DAMAGED, Reasons
from acmx.storage.migrations import Migration, pending

SAFE_LIBRARY: Final = (3, 51, 3)
BUSY_MS: Final = 5_000
_CHECKPOINT_PAGES: Final = 1_000

REASONS: Final[Reasons] = {
    apsw.CorruptError: DAMAGED,
    apsw.NotADBError: DAMAGED,
    apsw.FullError: "The disk is full.",
    apsw.ReadOnlyError: "The database cannot be written to.",
    apsw.IOError: "The disk reports an error.",
    apsw.CantOpenError: "The database cannot be opened.",
    apsw.BusyError: "Another process holds the database.",
}


class SqliteTx:
    """`Tx` on one SQLite connection."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self.signals: set[Hashable] = set()

    def execute(self, sql: str, params: Mapping[str, object] = NO_PARAMS) -> int:
        self._query(sql, params)
        return self._connection.changes()

    def row(self, sql: str, params: Mapping[str, object] = NO_PARAMS) -> tuple[Any, ...] | None:
        return self._query(sql, params).fetchone()

    def rows(self, sql: str, params: Mapping[str, object] = NO_PARAMS) -> list[tuple[Any, ...]]:
        return self._query(sql, params).fetchall()

    def signal(self, signal: Hashable) -> None:
        self.signals.add(signal)

    def _query(self, sql: str, params: Mapping[str, object]) -> apsw.Cursor:
        return self._connection.execute(sql, cast("Mapping[str, apsw.SQLiteValue]", params))


def require_safe_library() -> None:
    """Raise UnsafeLibrary when the SQLite library is older than 3.51.3."""
    version = apsw.sqlite_lib_version()
    if tuple(map(int, version.split("."))) < SAFE_LIBRARY:
        raise UnsafeLibrary(f"This one is {version}.")


def create(path: Path) -> None:
    """Make sure the file exists, for its owner alone; SQLite gives the -wal and -shm the same mode."""
    path.touch(mode=0o600)
    path.chmod(0o600)


def require_file(path: Path) -> None:
    """Raise Misconfigured where there is none: to begin with an empty one would be to forget everything."""
    if not path.exists():
        raise Misconfigured(
            f"{path} is missing. See that its disk is mounted, or restore a backup (acmx restore): "
            "nothing but acmx init and acmx restore makes a database."
        )


def connect(path: Path) -> apsw.Connection:
    """A connection to an existing file: WAL, every commit fsynced. Raises Misconfigured where that cannot be.

    A failed fsync in the automatic checkpoint does no harm: the pages stay in the WAL and are written again.
    What a savepoint puts aside stays in memory: no message body ever lies in a folder for temporary files.
    """
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    connection.set_busy_timeout(BUSY_MS)
    if connection.pragma("journal_mode", "wal") != "wal":
        raise Misconfigured(f"{path} lies on a file system without shared memory.")
    connection.pragma("synchronous", "full")
    connection.pragma("foreign_keys", True)
    connection.pragma("temp_store", "memory")
    connection.wal_autocheckpoint(_CHECKPOINT_PAGES)
    return connection


def empty_wal(connection: apsw.Connection) -> None:
    """Copy the WAL into the database file and fsync that.

    What a process left whose fsync failed may be in the page cache only, and a later fsync would overlook it.
    """
    connection.pragma("wal_checkpoint", "truncate")


def present(connection: apsw.Connection) -> int:
    """The version of the schema; 0 where there is none."""
    version: int = connection.pragma("user_version")
    return version


def migrate(connection: apsw.Connection, migrations: Sequence[Migration]) -> None:
    """Run the pending migrations, one transaction each. Raises Misconfigured as `schema.require_whole`."""
    version = present(connection)
    schema.require_whole(version, schema.parts(connection), migrations)
    for number, script in pending(version, migrations):
        with connection:
            connection.execute(script)
            connection.pragma("user_version", number)


def failed_sync(error: BaseException) -> bool:
    """Whether an fsync failed: what the disk holds is then unknown, and asking it again proves nothing."""
    return getattr(error, "extendedresult", None) == apsw.SQLITE_IOERR_FSYNC
