"""The connection that writes to PostgreSQL, in turn with those of the other processes."""

import os
import secrets
import socket
from collections.abc import Callable, Hashable
from contextlib import suppress
from functools import partial
from typing import Final

import psycopg
from psycopg.errors import Diagnostic
from psycopg.pq import TransactionStatus

from acmx.storage.engines.postgres_connection import PostgresTx, close, connect
from acmx.storage.engines.postgres_history import TAKEN_IN, TIMELINE, Batch, History
from acmx.storage.engines.postgres_schema import TURN
from acmx.storage.engines.postgres_standby import holds_what_is_committed
from acmx.storage.engines.postgres_troubles import REASONS, Emptied, StandbyForgone, Unconfirmed
from acmx.storage.engines.signals import encode
from acmx.storage.engines.writers import Engine, Within
from acmx.storage.journal import Journalled

BEGIN_S: Final = 10.0
APPLY_S: Final = 40.0
"""So long after, the server is taken for dead that does not answer: its own limits are half of that, and 30 s."""
APPLYING_S: Final = 0.02
"""So long the other processes wait for their turn, besides the COMMIT."""
COMMIT_S: Final = 5.0
"""So long a COMMIT may wait for the synchronous standby: its turn to write is everybody's."""
_BEGIN: Final = (
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_advisory_xact_lock({turn}); "
    "SELECT {timeline}, (SELECT mark FROM batch WHERE serial = {serial}), {taken_in}"
)
_BATCH: Final = (
    "INSERT INTO batch (timeline, process, mark, signals, previous) "
    "SELECT $1, $2, $3, $4, mark FROM batch ORDER BY serial DESC LIMIT 1 RETURNING serial, previous"
)
_END_FORMER: Final = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE application_name = $1 AND pid <> pg_backend_pid()"
)
"""A connection that was lost here may still wait there, and keep the turn."""


class PostgresWriter:
    """As `Writer`: whoever has begun is the only one who writes until the COMMIT."""

    on_loop = False

    def __init__(self, url: str, history: History, *, require_synchronous: bool) -> None:
        self._name = f"acmx writing {history.process}"
        self._connection = connect(url, history.require, application_name=self._name)
        self._connection.add_notice_handler(self._notice)
        self._history = history
        self._require_synchronous = require_synchronous
        self._timeline = history.timeline
        self._warning: str | None = None
        self.change = history.at_start
        self.lost: str | None = None
        self.follows = ""
        self._found: Batch | None = None
        try:
            self._connection.execute(_END_FORMER, [self._name])
        except psycopg.Error:
            self.close()
            raise

    def begin_at_once(self) -> bool:
        return False

    def begin(self) -> None:
        """Raises FormerPrimary."""
        cursor = self._connection.execute(
            _BEGIN.format(turn=TURN, timeline=TIMELINE, serial=self._history.last.serial, taken_in=TAKEN_IN)
        )
        while cursor.nextset():
            pass
        self._timeline, mark, taken_in = cursor.fetchone() or (0, None, ())
        self._history.require_not_before(self._connection, None, self._timeline)
        self.change = self._history.change(self._connection, self._timeline, mark, taken_in)

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
        """Raises Unconfirmed: PostgreSQL gives up the wait for its standby with a mere warning."""
        mark = secrets.token_hex(16)
        values = [self._timeline, self._history.process, mark, encode(signals)]
        row = self._connection.execute(_BATCH, values).fetchone()
        if row is None:
            raise Emptied
        serial, self.follows = row
        if self.change is not None and self.change.first:
            self._connection.execute("INSERT INTO taken_in VALUES ($1)", [mark])
        journalled = [signal for signal in signals if isinstance(signal, Journalled)]
        exchanges = frozenset(signal.exchange for signal in journalled if signal.exchange)
        acts = frozenset(signal.act for signal in journalled if signal.act)
        batch = Batch(serial, mark, self._history.process, exchanges, acts)
        self._warning = None
        self._history.sent, found = batch, self._found
        self.lost = mark
        done = self._connection.execute("COMMIT").statusmessage
        if done != "COMMIT":
            self.lost = None
            raise psycopg.OperationalError(f"the transaction ended with {done}")
        if self._warning is not None:
            raise Unconfirmed(self._warning)
        if self._require_synchronous and not holds_what_is_committed(self._connection):
            raise StandbyForgone
        self._history.acknowledge(batch, self._timeline, anew=self.change is not None)
        if found is not None:
            self._history.remember(found)
        self.change = self.lost = self._found = None

    def came_through(self, lost: str) -> bool:
        """Whoever had the turn before has ended: that batch is either there or was undone."""
        found = self._connection.execute("SELECT 1 FROM batch WHERE mark = $1", [lost]).fetchone() is not None
        sent = self._history.sent
        if found and sent is not None and sent.mark == lost:
            self._found = sent
        return found

    @property
    def endings(self) -> tuple[Callable[[], None], ...]:
        """PostgreSQL waits for its standby without end, whatever timeout is set, unless it is told to stop."""
        return self._cancel, self._cut

    def _cancel(self) -> None:
        with suppress(psycopg.Error):
            self._connection.cancel_safe(timeout=COMMIT_S)

    def _cut(self) -> None:
        with (
            suppress(psycopg.Error, OSError),
            socket.socket(fileno=os.dup(self._connection.fileno())) as wire,
        ):
            wire.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        close(self._connection)

    def _notice(self, notice: Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            self._warning = notice.message_primary or "WARNING"


def engine(url: str, history: History, *, require_synchronous: bool) -> Engine:
    connect_ = partial(PostgresWriter, url, history, require_synchronous=require_synchronous)
    within = Within(BEGIN_S, APPLY_S, COMMIT_S)
    return Engine(connect_, APPLYING_S, within, psycopg.Error, REASONS, lambda _: False)
