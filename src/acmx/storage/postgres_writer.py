"""The connection that writes to PostgreSQL, in turn with those of the other processes."""

from collections.abc import Hashable
from functools import partial
from typing import Final

import psycopg
from psycopg.pq import TransactionStatus

from acmx.storage.group_commit import Engine
from acmx.storage.postgres_connection import REASONS, PostgresTx, close, connect
from acmx.storage.postgres_schema import TURN
from acmx.storage.signals import encode

APPLYING_S: Final = 0.02
"""So long the other processes wait for their turn, besides the COMMIT."""
_SIGNAL: Final = (
    "INSERT INTO signalled (process, signals) VALUES ($1, $2) RETURNING pg_current_xact_id()::text"
)


class PostgresWriter:
    """As `Writer`: whoever has begun is the only one who writes until the COMMIT."""

    on_loop = False

    def __init__(self, url: str, name: str) -> None:
        self._connection = connect(url)
        self._name = name
        self.lost: str | None = None

    def begin_at_once(self) -> bool:
        return False

    def begin(self) -> None:
        self._connection.execute(f"BEGIN; SELECT pg_advisory_xact_lock({TURN})")

    def tx(self) -> PostgresTx:
        return PostgresTx(self._connection)

    def run(self, command: str) -> None:
        self._connection.execute(command)

    @property
    def in_transaction(self) -> bool:
        status = self._connection.info.transaction_status
        return status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)

    @property
    def broken(self) -> bool:
        return self._connection.broken

    def commit(self, signals: frozenset[Hashable]) -> None:
        """Its name is asked for first: who loses the answer asks what became of it."""
        row = (
            self._connection.execute(_SIGNAL, [self._name, encode(signals)])
            if signals
            else self._connection.execute("SELECT pg_current_xact_id_if_assigned()::text")
        ).fetchone()
        self.lost = row[0] if row else None
        done = self._connection.execute("COMMIT").statusmessage
        self.lost = None
        if done != "COMMIT":
            raise psycopg.OperationalError(f"the transaction ended with {done}")

    def came_through(self, lost: str) -> bool:
        """Whoever had the turn before has ended: that transaction is either committed or undone."""
        row = self._connection.execute("SELECT pg_xact_status($1::xid8)", [lost]).fetchone()
        return row == ("committed",)

    def close(self) -> None:
        close(self._connection)


def engine(url: str, name: str) -> Engine:
    """`name`: under which the process stores its signals."""
    return Engine(partial(PostgresWriter, url, name), APPLYING_S, psycopg.Error, REASONS, lambda _: False)
