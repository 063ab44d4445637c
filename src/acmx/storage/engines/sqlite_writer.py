"""The connection that writes to the SQLite file."""

from collections.abc import Hashable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import apsw

from acmx.storage.engines.sqlite_connection import BUSY_MS, REASONS, SqliteTx, connect, failed_sync
from acmx.storage.engines.writers import Engine, Within

APPLYING_S: Final = 0.005
"""So long the event loop stands still."""


class SqliteWriter:
    """As `Writer`: its statements take microseconds, only an fsync or another process make it wait."""

    on_loop = True
    lost = None
    follows = ""
    change = None
    broken = False
    endings = ()

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)
        self._connection.set_busy_timeout(0)

    def begin_at_once(self) -> bool:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except apsw.BusyError:
            return False
        return True

    def begin(self) -> None:
        self._connection.set_busy_timeout(BUSY_MS)
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        finally:
            self._connection.set_busy_timeout(0)

    def tx(self) -> SqliteTx:
        return SqliteTx(self._connection)

    def run(self, command: str) -> None:
        self._connection.execute(command)

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def commit(self, signals: frozenset[Hashable]) -> None:  # noqa: ARG002
        self._connection.execute("COMMIT")

    def came_through(self, lost: str) -> bool:
        raise AssertionError(lost)

    def close(self) -> None:
        with suppress(apsw.Error):
            self._connection.close(True)


def engine(path: Path) -> Engine:
    return Engine(
        partial(SqliteWriter, path), APPLYING_S, Within(0.0, 0.0, 0.0), apsw.Error, REASONS, failed_sync
    )
