"""The embedded store: one SQLite file, one connection that writes, one that reads."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import apsw

from acmx.domain.errors import Misconfigured, TemporarilyUnavailable
from acmx.storage import migrations as shipped
from acmx.storage import schema
from acmx.storage.engine import NewHistory, T, Tx
from acmx.storage.engines.group_commit import GroupCommit, Listener
from acmx.storage.engines.sqlite_connection import (
    REASONS,
    SqliteTx,
    connect,
    create,
    empty_wal,
    migrate,
    present,
    require_file,
    require_safe_library,
)
from acmx.storage.engines.sqlite_writer import engine
from acmx.storage.engines.troubles import DAMAGED, in_plain_words
from acmx.storage.migrations import Migration

_DAMAGE = (apsw.CorruptError, apsw.NotADBError)
_UNAVAILABLE = (apsw.IOError, apsw.CantOpenError, apsw.BusyError, *_DAMAGE)


class SqliteStore:
    """`Store` on a SQLite file. Use it from one event loop; plans and reads run on that loop's thread."""

    def __init__(self, reader: apsw.Connection, writer: GroupCommit) -> None:
        self._reader = reader
        self._writer = writer
        self._closed = False
        self._damaged = False

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        on_fatal: Callable[[BaseException], None],
        make: bool = False,
        migrations: Sequence[Migration] | None = None,
        batch: int = 64,
    ) -> Self:
        """Open the file; with `make`, create it where it is missing, and give it its schema if it has none.

        `on_fatal` is called when an fsync failed and must end the process; `migrations`: of that schema, default: those
        of acmx; `batch`: most plans in a commit.
        Raises UnsafeLibrary; Misconfigured when the file is missing or no database, or has another schema.
        """
        known = shipped.load() if migrations is None else migrations
        require_safe_library()
        if not make:
            require_file(path)
        try:
            create(path)
            reader = connect(path)
            empty_wal(reader)
            if make and present(reader) == 0:
                migrate(reader, known)
            schema.require(present(reader), schema.parts(reader), known)
        except (OSError, apsw.Error) as error:
            raise Misconfigured(f"{path}: {error}") from error
        reader.pragma("query_only", True)
        return cls(reader, GroupCommit(engine(path), on_fatal, batch))

    @property
    def alive(self) -> bool:
        """Whether the store can still take plans: it is not closed and no fsync has failed."""
        return not (self._closed or self._writer.failed)

    @property
    def in_charge(self) -> bool:
        """No other process serves the file."""
        return True

    async def read(self, look: Callable[[Tx], T]) -> T:
        """As `Store.read`."""
        self._require_alive()
        try:
            return self._look(look)
        except _UNAVAILABLE as error:
            self._damaged |= isinstance(error, _DAMAGE)
            raise in_plain_words(error, REASONS) from error

    async def write(self, act: Callable[[Tx], T]) -> T:
        """As `Store.write`. Once damage was seen, nothing more is written to the file."""
        self._require_alive()
        if self._damaged:
            raise TemporarilyUnavailable(DAMAGED)
        try:
            return await self._writer.write(act)
        except TemporarilyUnavailable as error:
            self._damaged |= isinstance(error.__cause__, _DAMAGE)
            raise

    def on_commit(self, listener: Listener) -> None:
        """As `Store.on_commit`. A listener that raises is reported to the event loop and disturbs nobody."""
        self._writer.listeners.append(listener)

    def on_new_history(self, act: Callable[[Tx, NewHistory], None]) -> None:
        """As `Store.on_new_history`: a file has one history while it is open."""

    async def close(self) -> None:
        """As `Store.close`."""
        self._closed = True
        await self._writer.close()
        self._reader.close()

    def _look(self, look: Callable[[Tx], T]) -> T:
        self._reader.execute("BEGIN")
        try:
            return look(SqliteTx(self._reader))
        finally:
            if self._reader.in_transaction:
                self._reader.execute("ROLLBACK")

    def _require_alive(self) -> None:
        if not self.alive:
            raise TemporarilyUnavailable("The store is closed.")
