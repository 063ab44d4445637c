"""What the other processes on the same database commit, and which of all of them is in charge.

Every batch stores its signals with what they are about, and the mark of the batch before: whoever finds a gap has
missed something. Each process reads those of the others every two seconds; a NOTIFY that follows the COMMIT, many in
one, only says «now». So a connection that listens and is dead costs time, and nothing else. In charge is the process
whose listening connection has got the lock `CHARGE`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from typing import Any, Final

import psycopg
import structlog

from acmx.domain.errors import TemporarilyUnavailable
from acmx.storage.engine import InCharge, Missed, Store, Tx
from acmx.storage.engines import signals as kept
from acmx.storage.engines.group_commit import Listener, tell
from acmx.storage.engines.postgres_connection import most_telling, places
from acmx.storage.engines.postgres_history import KEPT_DAYS, TIMELINE, WHICH, History
from acmx.storage.engines.postgres_schema import CHARGE

log = structlog.get_logger()

POLL: Final = 2.0
GATHERED: Final = 0.05
"""Seconds; what is committed meanwhile is announced in one NOTIFY."""
PRUNE_EVERY: Final = 60.0
AT_ONCE: Final = 1_000
NOTIFY: Final = "BEGIN; SET LOCAL synchronous_commit = off; NOTIFY acmx; COMMIT"
_ATTEND: Final = (
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; LISTEN acmx"
)
_PRUNE: Final = """
    DELETE FROM batch WHERE at < clock_timestamp() - interval '10 minutes'
    AND serial <> (SELECT MAX(serial) FROM batch)
    AND (serial NOT IN (SELECT MAX(serial) FROM batch GROUP BY process)
         OR at < clock_timestamp() - CAST(:kept AS TEXT)::interval)
"""
"""The newest row of a process stays: by it the next start, or the process itself, knows that nothing of it was lost."""
_NEWEST: Final = f"SELECT serial, mark, {TIMELINE} FROM batch ORDER BY serial DESC LIMIT 1"  # noqa: S608
_PRESENT: Final = "SELECT mark FROM batch WHERE serial = :serial"
_FOLLOWING: Final = (
    "SELECT serial, mark, previous, process, signals FROM batch "
    "WHERE serial > :seen ORDER BY serial LIMIT :limit"
)


class Neighbours:
    """Tells `listeners` what the others have committed since now, and when this process takes charge.

    `announce` sends a NOTIFY.
    """

    def __init__(
        self, url: str, history: History, store: Store, announce: Callable[[], Awaitable[None]]
    ) -> None:
        self._url = url
        self._history = history
        self._serial, self._mark = history.last.serial, history.last.mark
        self._store = store
        self._announce = announce
        self._look = asyncio.Event()
        self._own = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.listeners: list[Listener] = []
        self.in_charge = False
        self._away = False

    def start(self) -> None:
        """Once; without effect after that."""
        if not self._tasks:
            work = (self._listen, self._follow, self._ring, self._forget)
            self._tasks = [asyncio.create_task(_for_ever(turn)) for turn in work]

    def hear(self, _signals: frozenset[Hashable]) -> None:
        """This process has committed something."""
        self._own.set()

    async def stop(self) -> None:
        """Another process may take charge."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self) -> None:
        """Of how long it is away one line tells when it goes, and one when it is back."""
        since = self._history.changes
        try:
            async with await self._connected() as connection:
                await connection.execute(_ATTEND)
                if self._away:
                    log.info("other servers on the database are listened to again")
                self._away = False
                try:
                    await self._attend(connection, since)
                finally:
                    with suppress(psycopg.Error):
                        await connection.execute("SELECT pg_advisory_unlock_all(); NOTIFY acmx")
        except psycopg.Error as error:
            if not self._away:
                log.warning("the connection that listens to other servers is lost", error=str(error))
            self._away = True
            raise
        finally:
            self.in_charge = False

    async def _connected(self) -> psycopg.AsyncConnection[tuple[Any, ...]]:
        """As `connect`, to a server with the history that is known or a later one."""
        refusals: list[psycopg.OperationalError] = []
        for place in await asyncio.to_thread(places, self._url, application_name="acmx listening"):
            try:
                return await self._connected_to(place)
            except psycopg.OperationalError as error:
                refusals.append(error)
        raise most_telling(refusals)

    async def _connected_to(self, place: str) -> psycopg.AsyncConnection[tuple[Any, ...]]:
        connection = await psycopg.AsyncConnection.connect(place, autocommit=True)
        try:
            identifier, timeline = await (await connection.execute(WHICH)).fetchone() or ("", 0)
            self._history.require_not_before(connection, identifier, timeline)
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _attend(self, connection: psycopg.AsyncConnection[tuple[Any, ...]], since: int) -> None:
        """The question also shows, every two seconds, whether the connection lives.

        Where another history was taken in, it may lead to the former one.
        """
        while since == self._history.changes:
            ask = "SELECT true" if self.in_charge else f"SELECT pg_try_advisory_lock({CHARGE})"
            found = await (await connection.execute(ask)).fetchone()
            if not self.in_charge and found == (True,):
                self.in_charge = True
                tell(self.listeners, frozenset({InCharge()}))
            async for _ in connection.notifies(timeout=POLL, stop_after=1):
                self._look.set()

    async def _follow(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL):
                await self._look.wait()
        self._look.clear()
        found, newest, as_left = await self._store.read(self._since)
        theirs = set[Hashable]()
        for serial, mark, previous, process, signals in found:
            if previous != self._mark:
                theirs.add(Missed())
            if process != self._history.process:
                theirs |= kept.decode(signals)
            self._serial, self._mark = serial, mark
        if not found and newest != (self._serial, self._mark):
            theirs.add(Missed())
            self._serial, self._mark = newest
        if len(found) == AT_ONCE:
            self._look.set()
        tell(self.listeners, frozenset(theirs))
        if not as_left:
            await self._store.write(lambda _tx: None)

    def _since(self, tx: Tx) -> tuple[list[tuple[Any, ...]], tuple[int, str], bool]:
        """What came after the batch that was seen last; the newest one; whether the history may be the one known.

        The next write finds out for sure.
        """
        last = self._history.last
        found = tx.rows(_FOLLOWING, {"seen": self._serial, "limit": AT_ONCE})
        serial, mark, timeline = tx.row(_NEWEST) or (0, "", 0)
        there = tx.row(_PRESENT, {"serial": last.serial})
        return found, (serial, mark), (timeline, there) == (self._history.timeline, (last.mark,))

    async def _ring(self) -> None:
        await self._own.wait()
        self._own.clear()
        await self._announce()
        await asyncio.sleep(GATHERED)

    async def _forget(self) -> None:
        await asyncio.sleep(PRUNE_EVERY)
        if self.in_charge:
            await self._store.write(lambda tx: tx.execute(_PRUNE, {"kept": f"{KEPT_DAYS} days"}))


async def _for_ever(turn: Callable[[], Awaitable[None]]) -> None:
    """Whatever goes wrong, as the database is away for a time; what is not of that kind is reported."""
    while True:
        try:
            await turn()
        except (psycopg.Error, TemporarilyUnavailable):
            await asyncio.sleep(POLL / 2)
        except Exception as error:  # noqa: BLE001
            asyncio.get_running_loop().call_exception_handler(
                {"message": "What other processes commit cannot be followed", "exception": error}
            )
            await asyncio.sleep(POLL)
