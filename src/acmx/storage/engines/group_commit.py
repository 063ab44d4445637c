"""Many plans, one COMMIT: the only writer of a store, whatever its engine.

A batch is what waits when the last COMMIT has returned, at most 64 plans or so many milliseconds of applying as
the engine allows; nobody waits for a batch to fill, but for those that are on their way already (`TURNS`). Each plan
has its own savepoint; what arrives while the COMMIT is under way is the next batch. Callers hear of their plan, be it
success or error, after the COMMIT: an error too may rest on what a neighbour in the batch has written.

If a plan breaks the transaction or the COMMIT fails, nobody is told anything, the connection is opened anew,
and the plans run again one by one; unless the engine can tell that the lost COMMIT was done after all, and a later
one is confirmed. Where it is not, everybody is refused, and nothing is written before one is. After a failed fsync
nobody is acknowledged ever again.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

from acmx.domain.errors import TemporarilyUnavailable
from acmx.storage.engine import Missed, NewHistory, T, Tx
from acmx.storage.engines.troubles import in_plain_words
from acmx.storage.engines.writers import Engine, Writer

TURNS: Final = 3
"""Of the event loop, before a batch begins: what has arrived by then is read, handled, and waits in it too."""

FAILED_OVER: Final = "The database has failed over; try again."
Listener = Callable[[frozenset[Hashable]], None]


class _RefusedError(Exception):
    """The database serves nobody at the moment: whoever waits is refused."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(slots=True, eq=False)
class _Unit:
    """One plan on its way through a batch."""

    act: Callable[[Tx], Any]
    settled: asyncio.Future[None]
    result: Any = None
    error: Exception | None = None
    signals: frozenset[Hashable] = frozenset()

    def apply(self, writer: Writer) -> None:
        """Run the plan in a savepoint, keep its result or error. Raises only if the transaction is broken."""
        tx = writer.tx()
        self.result, self.error, self.signals = None, None, frozenset()
        writer.run("SAVEPOINT unit")
        try:
            self.result = self.act(tx)
            self.signals = frozenset(tx.signals)
        except Exception as error:
            if not writer.in_transaction:
                raise
            self.error = error
            writer.run("ROLLBACK TO unit")
        writer.run("RELEASE unit")


class GroupCommit:
    """The one who writes. A connection is opened at the start and after each failure."""

    def __init__(self, engine: Engine, on_fatal: Callable[[BaseException], None], batch: int) -> None:
        self._engine = engine
        self._on_fatal = on_fatal
        self._limit = batch
        self._writer: Writer | None = None
        self._helper = ThreadPoolExecutor(1, "acmx-commit")
        self._ender = ThreadPoolExecutor(1, "acmx-end-commit")
        self._waiting: deque[_Unit] = deque()
        self._batch: list[_Unit] = []
        self._worker: asyncio.Task[None] | None = None
        self._in_doubt = False
        self._taken_in: str | None = None
        self._overdue = False
        self.on_new_history: Callable[[Tx, NewHistory], None] = _nobody_takes_it_in
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
            raise in_plain_words(unit.error, self._engine.reasons)
        result: T = unit.result
        return result

    async def close(self) -> None:
        """Finish what waits, then close."""
        if self._worker is not None:
            await asyncio.wait([self._worker])
        self._helper.shutdown()
        self._ender.shutdown()
        self._discard()

    async def _work(self) -> None:
        """Commit batch after batch until nothing waits. The next write starts it anew, whatever ended it."""
        try:
            while self._waiting:
                for _ in range(TURNS):
                    await asyncio.sleep(0)
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
            if self._in_doubt:
                await self._confirm(await self._begin())
            await self._transact(self._batch, self._apply_waiting)
        except _RefusedError as error:
            self._refuse_all(error.reason)
        except Exception as error:
            if self._engine.failed_sync(error):
                raise
            await self._commit_one_by_one()
        else:
            self._settle(self._batch)

    async def _commit_one_by_one(self) -> None:
        for unit in self._batch:
            try:
                await self._transact([unit], unit.apply)
            except _RefusedError as error:
                self._refuse_all(error.reason)
                return
            except Exception as error:
                if self._engine.failed_sync(error):
                    raise
                unit.error = error
            self._settle([unit])

    async def _transact(self, units: list[_Unit], apply: Callable[[Writer], None]) -> None:
        """What was applied, `units`, is durable when this returns, and undone when it raises."""
        writer = await self._begin()
        try:
            if writer.on_loop:
                apply(writer)
            else:
                await self._within(self._engine.within.apply, writer.endings[-1:], apply, writer)
            await self._commit(writer, _signals(units))
        except Exception as error:
            self._discard()
            if self._overdue:
                self._in_doubt = self._in_doubt or writer.lost is not None
                raise _RefusedError(error) from error
            if writer.lost is None or not await self._came_through(writer.lost, writer.follows):
                raise

    def _apply_waiting(self, writer: Writer) -> None:
        deadline = perf_counter() + self._engine.applying_s
        while self._waiting and len(self._batch) < self._limit:
            unit = self._waiting.popleft()
            if unit.settled.cancelled():
                continue
            self._batch.append(unit)
            unit.apply(writer)
            if perf_counter() >= deadline:
                return

    async def _commit(self, writer: Writer, signals: frozenset[Hashable]) -> None:
        await self._within(self._engine.within.commit, writer.endings, writer.commit, signals)

    async def _within(
        self,
        seconds: float,
        endings: Sequence[Callable[[], None]],
        step: Callable[..., None],
        *args: object,
    ) -> None:
        """In a bounded time, where the engine knows how to end it: it is `_overdue` then."""
        taking = self._off_loop(step, *args)
        self._overdue = False
        for end in endings:
            done, _ = await asyncio.wait([taking], timeout=seconds)
            if done:
                break
            self._overdue = True
            await asyncio.get_running_loop().run_in_executor(self._ender, end)
        await taking

    async def _came_through(self, lost: str, follows: str) -> bool:
        """Whether the batch is there, and as durable as one that was answered.

        Where it is not, it may run again if the batch before it is: on that its plans were prepared.
        """
        self._in_doubt = True
        writer = await self._begin(resolving=True)
        try:
            there = await self._off_loop(writer.came_through, lost)
            again = there or await self._off_loop(writer.came_through, follows)
        except self._engine.errors as error:
            self._discard()
            raise _RefusedError(error) from error
        if there:
            await self._confirm(writer)
            return True
        self._discard()
        self._in_doubt = False
        if not again:
            raise _RefusedError(TemporarilyUnavailable(FAILED_OVER))
        return False

    async def _confirm(self, writer: Writer) -> None:
        """A COMMIT that is confirmed confirms all before it. Then others may hear of what was in doubt."""
        try:
            await self._commit(writer, frozenset())
        except self._engine.errors as error:
            self._discard()
            raise _RefusedError(error) from error
        self._in_doubt = False
        tell(self.listeners, frozenset({Missed()}))

    async def _begin(self, *, resolving: bool = False) -> Writer:
        """What was idle may have died unseen; one that was just opened has not.

        What was prepared on another history is not to be written; `resolving`: whether something was is the question.
        """
        idle = self._writer
        try:
            if self._writer is None:
                self._writer = await self._off_loop(self._engine.connect)
            if not self._writer.begin_at_once():
                writer = self._writer
                await self._within(self._engine.within.begin, writer.endings[-1:], writer.begin)
        except Exception as error:
            self._discard()
            if self._engine.failed_sync(error):
                raise
            if idle is not None and idle.broken:
                return await self._begin(resolving=resolving)
            raise _RefusedError(error) from error
        if (change := self._writer.change) is None:
            return self._writer
        await self._take_in(self._writer, change)
        if not change.at_start and (change.lost or not resolving):
            raise _RefusedError(TemporarilyUnavailable(FAILED_OVER))
        return await self._begin(resolving=resolving)

    async def _take_in(self, writer: Writer, change: NewHistory) -> None:
        """Once, though it be confirmed later."""
        tx = writer.tx()
        try:
            taken_in = self._taken_in is not None and await self._off_loop(
                writer.came_through, self._taken_in
            )
            if not taken_in:
                await self._off_loop(self.on_new_history, tx, change)
            await self._commit(writer, frozenset(tx.signals))
        except Exception as error:
            self._discard()
            self._taken_in = writer.lost or self._taken_in
            raise _RefusedError(error) from error
        self._in_doubt, self._taken_in = False, None
        tell(self.listeners, frozenset({Missed()}))

    def _off_loop(self, function: Callable[..., T], *args: object) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._helper, function, *args)

    def _settle(self, units: Sequence[_Unit]) -> None:
        for unit in units:
            if not unit.settled.done():
                unit.settled.set_result(None)
        tell(self.listeners, _signals(unit for unit in units if unit.error is None))

    def _give_up(self, error: BaseException) -> None:
        self._discard()
        self.failed = self._engine.failed_sync(error)
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
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _nobody_takes_it_in(_tx: Tx, _change: NewHistory) -> None:
    """Then nothing is written to it."""
    raise TemporarilyUnavailable(FAILED_OVER)


def tell(listeners: Iterable[Listener], signals: frozenset[Hashable]) -> None:
    """Unless there is nothing to tell. A listener that raises is reported to the event loop and disturbs nobody."""
    if not signals:
        return
    for listener in listeners:
        try:
            listener(signals)
        except Exception as error:  # noqa: BLE001
            _report("A listener of the store failed", error)


def _signals(units: Iterable[_Unit]) -> frozenset[Hashable]:
    return frozenset().union(*(unit.signals for unit in units))


def _report(message: str, error: BaseException) -> None:
    asyncio.get_running_loop().call_exception_handler({"message": message, "exception": error})
