"""The provisioner: carries out the jobs that put documents on the own CMS, and take them out again.

What became of documents is recorded a few at a time, while the next ones are under way; a crash costs at most that
these few are looked at again, and found as they are. While the CMS does not answer, nothing but its capabilities is
asked for, later each time.
"""

import asyncio
from collections.abc import Hashable
from contextlib import suppress
from datetime import timedelta
from functools import partial

import msgspec
import structlog
from structlog.contextvars import bound_contextvars

from acmx.delivery.backoff import LONGEST, delay
from acmx.delivery.provisioning.cms import Cms
from acmx.delivery.provisioning.large_documents import Task
from acmx.delivery.provisioning.row_work import RowWork
from acmx.delivery.supervisor import Beat, rest
from acmx.domain.acm1 import JobState
from acmx.domain.moments import to_ms
from acmx.flows.house import House
from acmx.flows.provisioning import end_provisioning, provision_rows
from acmx.provisioning.xcap import Again, End, Hold, Outcome, Work
from acmx.storage import provisionings
from acmx.storage.clock_holds import ClockRight
from acmx.storage.engine import InCharge, Missed, Store, Tx
from acmx.storage.provisionings import Job, JobChanged, Row

AT_ONCE = 1000
CHUNK = 1000
UNRECORDED = 64
GATHERED = 0.01
"""Seconds; what becomes of documents meanwhile is recorded in one transaction."""
ATTEMPTS = 8
LOOK_AGAIN = timedelta(seconds=30)
DOCUMENT_WITHIN = 600.0
"""Seconds; a CMS may be slow with each of the requests that a document takes."""
log = structlog.get_logger()


class Provisioner:
    """One page of documents of each job after the other."""

    def __init__(self, house: House, store: Store, cms: Cms) -> None:
        self._house = house
        self._store = store
        self._cms = cms
        self._profiles = {str(service): names for service, names in house.profiles.items()}
        self._wake = asyncio.Event()
        self._at_work = asyncio.Lock()
        self._stopping = False
        self._beat: Beat = lambda _within: None
        self._cancelled: set[str] = set()
        self._knows: set[str] = set()

    def hear(self, signals: frozenset[Hashable]) -> None:
        if not signals.isdisjoint((InCharge(), Missed(), ClockRight())):
            self._wake.set()
        for signal in signals:
            if isinstance(signal, JobChanged):
                if signal.state == "cancelled":
                    self._cancelled.add(signal.job)
                self._wake.set()

    async def finish(self, grace: float) -> None:
        """Begin nothing any more. What is on its way may end within `grace` seconds."""
        self._stopping = True
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._at_work.acquire()

    async def run(self, beat: Beat) -> None:
        """Until cancelled. A start tries everything, whatever its back-off."""
        self._beat = beat
        await self._store.write(provisionings.release)
        try:
            while True:
                async with self._at_work:
                    pause = await self._turn()
                beat(LOOK_AGAIN.total_seconds() + DOCUMENT_WITHIN)
                if pause:
                    await rest(self._wake, min(pause, LOOK_AGAIN))
        finally:
            await self._cms.close()

    async def _turn(self) -> timedelta:
        """A page of each job that is due; how long to rest then, unless woken."""
        if not self._store.in_charge:
            return LOOK_AGAIN
        jobs = await self._store.read(provisionings.under_way)
        self._cancelled &= {job.id for job in jobs}
        self._knows &= {job.id for job in jobs}
        pauses = []
        for job in jobs:
            with bound_contextvars(exchange=job.exchange):
                pauses.append(await self._serve(job))
        return min(pauses, default=LOOK_AGAIN)

    async def _serve(self, job: Job) -> timedelta:
        """How long this job has nothing to do."""
        if self._given_up(job):
            return LOOK_AGAIN
        now = self._now()
        if job.next_attempt_at > now:
            return timedelta(milliseconds=job.next_attempt_at - now)
        if reason := await self._store.read(partial(end_provisioning.still_wanted, job=job)):
            await self._end(job, "cancelled", reason)
        elif job.state == "preparing":
            await self._prepare(job)
        elif due := await self._store.read(partial(provisionings.due, job=job.id, now=now, limit=AT_ONCE)):
            await self._page(job, due)
        elif (moment := await self._store.read(partial(provisionings.next_moment, job=job.id))) is not None:
            return timedelta(milliseconds=max(moment - now, 1))
        else:
            await self._end(job, "done")
        return timedelta(0)

    def _given_up(self, job: Job) -> bool:
        return self._stopping or job.id in self._cancelled or not self._store.in_charge

    async def _prepare(self, job: Job) -> None:
        rows = await self._store.read(partial(_new_rows, house=self._house, job=job))

        def act(tx: Tx) -> None:
            provisionings.put_rows(tx, rows)
            if len(rows) < CHUNK:
                provisionings.run(tx, job.id)

        await self._store.write(act)

    async def _page(self, job: Job, due: list[Row]) -> None:
        what = RowWork(self._profiles, self._cms.given, job)
        if job.id not in self._knows or job.failures:
            ended = await self._cms.carry_out(what.capabilities(), self._task(job))
            if isinstance(ended, Hold | Again):
                await self._hold(job, ended)
                return
            if ended.state == "failed":
                await self._end(job, "failed", ended.detail)
                return
            self._knows.add(job.id)
        holds, answered = await self._carry_out(job, what, due)
        if holds:
            log.warning("the CMS is left alone for a while", job=job.id, reason=holds[0].reason)
            await self._hold(msgspec.structs.replace(job, failures=0) if answered else job, holds[0])
        elif job.failures:
            await self._store.write(partial(provisionings.hold, id_=job.id, failures=0, until=0, error=None))

    async def _carry_out(self, job: Job, what: RowWork, due: list[Row]) -> tuple[list[Hold], int]:
        """Why the CMS is to be left alone, if so, and how often it did answer."""
        rows = iter(due)
        holds: list[Hold] = []
        outcomes: asyncio.Queue[Row | None] = asyncio.Queue(UNRECORDED)
        answered = 0

        async def go_on() -> None:
            nonlocal answered
            for row in rows:
                if holds or self._given_up(job):
                    return
                ended = await self._try(what.of(row), self._task(job, row))
                if isinstance(ended, Hold):
                    holds.append(ended)
                else:
                    answered += 1
                await outcomes.put(self._after(row, ended))
                self._beat(DOCUMENT_WITHIN)

        async with asyncio.TaskGroup() as recording:
            recording.create_task(self._record(outcomes))
            async with asyncio.TaskGroup() as group:
                for _ in range(self._cms.given.at_a_time):
                    group.create_task(go_on())
            await outcomes.put(None)
        return holds, answered

    async def _record(self, outcomes: asyncio.Queue[Row | None]) -> None:
        """Those of a moment together, until None."""
        more = True
        while more:
            found = [await outcomes.get()]
            await asyncio.sleep(GATHERED)
            while not outcomes.empty():
                found.append(outcomes.get_nowait())
            more = None not in found
            await self._store.write(partial(_keep, rows=[row for row in found if row is not None]))

    def _task(self, job: Job, row: Row | None = None) -> Task:
        return Task(self._profiles, self._cms.given, job, row)

    async def _try(self, work: Work, task: Task) -> End:
        """One document that we cannot deal with does not keep the others from being written."""
        try:
            return await self._cms.carry_out(work, task)
        except Exception as error:
            log.exception("a document could not be dealt with")
            return Outcome("failed", f"acmx could not deal with it: {error!r}"[:500])

    def _after(self, row: Row, ended: End) -> Row:
        """The row as it is to be kept."""
        now = self._now()
        if isinstance(ended, Outcome):
            attempts = row.attempts + 1
            return msgspec.structs.replace(
                row, state=ended.state, attempts=attempts, detail=ended.detail, at=now, doubtful=0
            )
        doubtful = int(row.doubtful or ended.doubtful)
        if isinstance(ended, Hold) and not ended.counted:
            return msgspec.structs.replace(row, doubtful=doubtful)
        attempts = row.attempts + 1
        if attempts >= ATTEMPTS:
            detail = f"{ended.reason}, after {attempts} tries" + (
                "; it may have been written" if doubtful else ""
            )
            return msgspec.structs.replace(row, state="failed", attempts=attempts, detail=detail, at=now)
        again = 0 if isinstance(ended, Hold) else to_ms(self._house.clock() + delay(attempts))
        return msgspec.structs.replace(
            row, attempts=attempts, next_attempt_at=again, detail=ended.reason, at=now, doubtful=doubtful
        )

    async def _hold(self, job: Job, why: Hold | Again) -> None:
        failures = job.failures + 1
        pause = delay(failures)
        if isinstance(why, Hold) and why.after is not None:
            pause = min(timedelta(seconds=why.after), LONGEST)
        until = to_ms(self._house.clock() + pause)
        await self._store.write(
            partial(provisionings.hold, id_=job.id, failures=failures, until=until, error=why.reason)
        )

    async def _end(self, job: Job, state: JobState, error: str | None = None) -> None:
        now = self._now()
        await self._store.write(partial(end_provisioning.end, job=job, state=state, at=now, error=error))

    def _now(self) -> int:
        return to_ms(self._house.clock())


def _new_rows(tx: Tx, house: House, job: Job) -> list[Row]:
    return provision_rows.new_rows(house, tx, job, CHUNK)


def _keep(tx: Tx, rows: list[Row]) -> None:
    for row in rows:
        provisionings.record(tx, row)
