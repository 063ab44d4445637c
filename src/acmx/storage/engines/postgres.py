"""The distributed store: a PostgreSQL database, in which several processes may write in turn."""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, Self

import psycopg
from psycopg.pq import TransactionStatus

from acmx.domain.errors import Misconfigured, TemporarilyUnavailable
from acmx.storage import migrations as shipped
from acmx.storage.engine import Missed, NewHistory, T, Tx
from acmx.storage.engines import postgres_schema as schema
from acmx.storage.engines import postgres_standby
from acmx.storage.engines.group_commit import GroupCommit, Listener
from acmx.storage.engines.postgres_connection import SNAPSHOT, Connection, PostgresTx, close, connect
from acmx.storage.engines.postgres_history import History, seen_before
from acmx.storage.engines.postgres_offline import make_schema
from acmx.storage.engines.postgres_peers import NOTIFY, Neighbours
from acmx.storage.engines.postgres_troubles import DAMAGE, REASONS, FormerPrimary
from acmx.storage.engines.postgres_writer import engine
from acmx.storage.engines.troubles import in_plain_words
from acmx.storage.migrations import Migration

READERS: Final = 8


class _Reader(NamedTuple):
    """A connection, and of how many changes of the history was known when it was opened."""

    connection: Connection
    since: int


class PostgresStore:
    """`Store` on a PostgreSQL database. Plans and reads run on threads of their own."""

    def __init__(
        self, url: str, first: Connection, history: History, batch: int, *, require_synchronous: bool
    ) -> None:
        self._url = url
        self._history = history
        self._idle = deque([_Reader(first, history.changes)])
        self._readers = ThreadPoolExecutor(READERS, "acmx-read")
        writers = engine(url, history, require_synchronous=require_synchronous)
        self._writer = GroupCommit(writers, lambda _: None, batch)
        self._neighbours = Neighbours(url, history, self, self._announce)
        self._writer.listeners.extend((self._drop_former, self._neighbours.hear))
        self._closed = False

    @classmethod
    def open(
        cls,
        url: str,
        *,
        make: bool = False,
        migrations: Sequence[Migration] | None = None,
        batch: int = 64,
        seen: Path | None = None,
        require_synchronous: bool = False,
    ) -> Self:
        """Open the database (postgresql://...); with `make`, give it its schema if it has none.

        `migrations`: of that schema, default: those of acmx; `batch`: most plans in a commit; `seen`: the file that
        keeps what was seen of the database; `require_synchronous`: acknowledge nothing that no synchronous standby
        has shown to have.
        Raises Misconfigured when it cannot be reached, has another schema, or is behind what was seen; when its user
        may not see what standbys have; TemporarilyUnavailable where it was made, and its synchronous standby has not
        confirmed that.
        """
        known = shipped.load() if migrations is None else migrations
        before = seen_before(seen)
        if make:
            make_schema(url, known)
        try:
            first = connect(url, before.require) if before else connect(url)
            try:
                schema.require(first, known)
                if require_synchronous and not postgres_standby.may_see(first):
                    raise Misconfigured(postgres_standby.BLIND)
                history = History(first, seen, before)
            except BaseException:
                close(first)
                raise
        except FormerPrimary as error:
            raise Misconfigured(
                f"This is not the database that was served from here, or a former primary of it: {error}. "
                f"Stop that server, or leave it out of the URL; if it is the one to go on with, remove {seen}"
            ) from error
        except psycopg.Error as error:
            raise Misconfigured(f"the database: {error}") from error
        return cls(url, first, history, batch, require_synchronous=require_synchronous)

    @property
    def alive(self) -> bool:
        """Whether the store takes plans: it is not closed."""
        return not self._closed

    async def read(self, look: Callable[[Tx], T]) -> T:
        """As `Store.read`. `look` is called on another thread, and again where the connection had been lost."""
        self._require_alive()
        try:
            return await self._on_reader(partial(self._look, look))
        except (psycopg.OperationalError, *DAMAGE) as error:
            raise in_plain_words(error, REASONS) from error

    async def write(self, act: Callable[[Tx], T]) -> T:
        """As `Store.write`. `act` is called on another thread."""
        self._require_alive()
        return await self._writer.write(act)

    def on_commit(self, listener: Listener) -> None:
        """As `Store.on_commit`. A listener that raises is reported to the event loop and disturbs nobody."""
        self._neighbours.start()
        self._neighbours.listeners.append(listener)
        self._writer.listeners.append(listener)

    def on_new_history(self, act: Callable[[Tx, NewHistory], None]) -> None:
        """As `Store.on_new_history`. `act` is called on another thread."""
        self._writer.on_new_history = act

    @property
    def in_charge(self) -> bool:
        """As `Store.in_charge`, once somebody listens."""
        return self._neighbours.in_charge

    async def close(self) -> None:
        """As `Store.close`."""
        self._closed = True
        await self._writer.close()
        await self._neighbours.stop()
        self._history.save()
        await asyncio.to_thread(self._readers.shutdown)
        while self._idle:
            close(self._idle.pop().connection)

    async def _announce(self) -> None:
        """Outside of any transaction that changes something, as those that notify wait for each other."""
        await self._on_reader(lambda connection: connection.execute(NOTIFY))

    async def _on_reader(self, use: Callable[[Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._use, use)

    def _use(self, use: Callable[[Connection], T]) -> T:
        """What was idle may have died unseen; one that was just opened has not."""
        while True:
            fresh = False
            try:
                reader = self._idle.pop()
            except IndexError:
                since = self._history.changes
                reader, fresh = _Reader(connect(self._url, self._history.require), since), True
            try:
                return use(reader.connection)
            except psycopg.OperationalError:
                if fresh or not reader.connection.closed:
                    raise
            finally:
                self._put_back(reader)

    def _put_back(self, reader: _Reader) -> None:
        """Unless it has ended, or may lead to a former primary."""
        if reader.connection.closed or reader.since != self._history.changes:
            close(reader.connection)
        else:
            self._idle.append(reader)

    def _drop_former(self, signals: frozenset[Hashable]) -> None:
        if Missed() in signals:
            for _ in range(len(self._idle)):
                with suppress(IndexError):
                    self._put_back(self._idle.popleft())

    def _look(self, look: Callable[[Tx], T], connection: Connection) -> T:
        connection.execute(SNAPSHOT)
        try:
            return look(PostgresTx(connection))
        finally:
            with suppress(psycopg.Error):
                if connection.info.transaction_status != TransactionStatus.IDLE:
                    connection.execute("ROLLBACK")

    def _require_alive(self) -> None:
        if not self.alive:
            raise TemporarilyUnavailable("The store is closed.")
