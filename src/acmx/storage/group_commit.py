"""Many plans, one fsync: the only writer of the SQLite store.

A batch is what waits when the last COMMIT has returned, at most 64 plans or 5 ms of applying; nobody waits
for a batch to fill. The statements run on the event-loop thread, each plan in its own savepoint; the COMMIT
alone runs on a helper thread, and what arrives meanwhile is the next batch. Callers hear of their plan, be it
success or error, after the COMMIT: an error too may rest on what a neighbour in the batch has written.

If a plan breaks the transaction or the COMMIT fails, nobody is told anything, the connection is opened anew,
and the plans run again one by one. After a failed fsync nobody is acknowledged ever again.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

import apsw

from acmx.domain.errors import TemporarilyUnavailable
from acmx.storage.engine import T, Tx
from acmx.storage.sqlite_connection import BUSY_MS, SqliteTx, failed_sync, in_plain_words

APPLYING_S: Final = 0.005

Listener = Callable[[frozenset[Hashable]], None]


@dataclass(slots=True, eq=False)
class _Unit:
    """One plan on its way through a batch."""

    act: Callable[[Tx], Any]
    settled: asyncio.Future[None]
    result: Any = None
    error: Exception | None = None
    signals: frozenset[Hashable] = frozenset()

    def apply(self, connection: apsw.Connection) -> None:
        """Run the plan in a savepoint, keep its result or error. Raises only if the transaction is broken."""
        tx = SqliteTx(connection)
        self.result, self.error, self.signals = None, None, frozenset()
        connection.execute("SAVEPOINT unit")
        try:
            self.result = self.act(tx)
            self.signals = frozenset(tx.signals)
        except Exception as error:
            if not connection.in_transaction:
                raise
            self.error = error
            connection.execute("ROLLBACK TO unit")
        connection.execute("RELEASE unit")


class GroupCommit:
    """The writer. `connect` opens its connection, at the start and after each failure."""

    def __init__(
        self, connect: Callable[[], apsw.Connection], on_fatal: Callable[[BaseException], None], batch: int
    ) -> None:
        self._connect = connect
        self._on_fatal = on_fatal
        self._limit = batch
        self._connection: apsw.Connection | None = None
        self._committer = ThreadPoolExecutor(1, "acmx-commit")
        self._waiting: deque[_Unit] = deque()
        self._batch: list[_Unit] = []
        self._worker: asyncio.Task[None] | None = None
        self.listeners: list[Listener] = []
        self.failed = False

    async def write(self, act: Callable[[Tx], T]) -> T:
        """As `Store.write`."""
        unit = _Unit(act, asyncio.get_running_loop().create_future())
        self._waiting.append(unit)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work(), name="acmx-writer")
        await unit.settled
        if unit.error is not None:
            raise in_plain_words(unit.error)
        result: T = unit.result
        return result

    async def close(self) -> None:
        """Finish what waits, then close."""
        if self._worker is not None:
            await asyncio.wait([self._worker])
        self._committer.shutdown()
        self._discard()

    async def _work(self) -> None:
        """Commit batch after batch until nothing waits. The next write starts it anew, whatever ended it."""
        try:
            while self._waiting:
                await self._commit_waiting()
        except BaseException as error:
            self._give_up(error)
            if not isinstance(error, Exception):
                raise
        finally:
            self._worker = None

    async def _commit_waiting(self) -> None:
        self._batch = []
        try:
            connection = await self._begin()
        except apsw.Error as error:
            self._discard()
            self._refuse_all(error)
            return
        try:
            self._apply_waiting(connection)
            await self._commit(connection)
        except Exception as error:
            self._discard()
            if failed_sync(error):
                raise
            await self._commit_one_by_one()
        else:
            self._settle(self._batch)

    def _apply_waiting(self, connection: apsw.Connection) -> None:
        deadline = perf_counter() + APPLYING_S
        while self._waiting and len(self._batch) < self._limit:
            unit = self._waiting.popleft()
            if unit.settled.cancelled():
                continue
            self._batch.append(unit)
            unit.apply(connection)
            if perf_counter() >= deadline:
                return

    async def _commit_one_by_one(self) -> None:
        for unit in self._batch:
            try:
                connection = await self._begin()
                unit.apply(connection)
                await self._commit(connection)
            except Exception as error:
                self._discard()
                if failed_sync(error):
                    raise
                unit.error = error
            self._settle([unit])

    async def _begin(self) -> apsw.Connection:
        if self._connection is None:
            self._connection = self._connect()
            self._connection.set_busy_timeout(0)
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except apsw.BusyError:
            await self._off_loop(_begin_patiently, self._connection)
        return self._connection

    async def _commit(self, connection: apsw.Connection) -> None:
        await self._off_loop(connection.execute, "COMMIT")

    async def _off_loop(self, function: Callable[..., object], *args: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._committer, function, *args)

    def _settle(self, units: Iterable[_Unit]) -> None:
        signals: set[Hashable] = set()
        for unit in units:
            if unit.error is None:
                signals |= unit.signals
            if not unit.settled.done():
                unit.settled.set_result(None)
        if signals:
            self._tell(frozenset(signals))

    def _tell(self, signals: frozenset[Hashable]) -> None:
        for listener in self.listeners:
            try:
                listener(signals)
            except Exception as error:  # noqa: BLE001
                _report("A listener of the store failed", error)

    def _give_up(self, error: BaseException) -> None:
        self._discard()
        self.failed = failed_sync(error)
        self._refuse_all(
            TemporarilyUnavailable("The disk has failed." if self.failed else "The writer was stopped.")
        )
        if self.failed:
            self._on_fatal(error)
        else:
            _report("The writer of the store was stopped", error)

    def _refuse_all(self, error: Exception) -> None:
        unsettled = [unit for unit in (*self._batch, *self._waiting) if not unit.settled.done()]
        self._waiting.clear()
        for unit in unsettled:
            unit.error = error
        self._settle(unsettled)

    def _discard(self) -> None:
        if self._connection is not None:
            with suppress(apsw.Error):
                self._connection.close(True)
            self._connection = None


def _begin_patiently(connection: apsw.Connection) -> None:
    connection.set_busy_timeout(BUSY_MS)
    try:
        connection.execute("BEGIN IMMEDIATE")
    finally:
        connection.set_busy_timeout(0)


def _report(message: str, error: BaseException) -> None:
    asyncio.get_running_loop().call_exception_handler({"message": message, "exception": error})
