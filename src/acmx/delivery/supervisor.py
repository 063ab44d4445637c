"""Loops that go on until the server stops: one that raises is logged and begun again, later each time it fails soon.

Each loop says how soon it will be heard of again; one that is late is stuck. Time is the event loop's.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog

from acmx.delivery.backoff import delay
from acmx.domain.errors import AcmxError

Beat = Callable[[float], None]
Work = Callable[[Beat], Coroutine[Any, Any, None]]

FIRST_BEAT_WITHIN = 60.0
LONGEST_PAUSE = timedelta(seconds=10)
STEADY = 60.0
log = structlog.get_logger()


async def rest(wake: asyncio.Event, pause: timedelta) -> None:
    """Between two turns of a loop: for so long, or until it is woken."""
    with suppress(TimeoutError):
        async with asyncio.timeout(max(pause.total_seconds(), 0)):
            await wake.wait()
    wake.clear()


@dataclass(eq=False)
class Loop:
    """One loop of a component; `of` names which, where there are several. `failure` stays until it works again."""

    component: str
    of: str
    now: Callable[[], float]
    due: float = 0.0
    failure: str | None = None
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    def beat(self, within: float) -> None:
        """A round is done; the next one will be within so many seconds."""
        self.failure = None
        self.due = self.now() + within

    @property
    def stuck(self) -> bool:
        """Whether a promise was broken, or the loop has ended without being told to."""
        ended = self.task is not None and self.task.done()
        return ended or self.now() > self.due

    @property
    def trouble(self) -> str | None:
        """What is wrong with it now, in plain words."""
        if self.stuck:
            return "is stuck or has ended"
        return f"failed and is begun again: {self.failure}" if self.failure is not None else None


class Supervisor:
    """Keeps loops running, each in a task of its own. `now` is for tests."""

    def __init__(self, now: Callable[[], float] | None = None) -> None:
        self._now = now or asyncio.get_running_loop().time
        self.loops: list[Loop] = []

    def keep(self, component: str, work: Work, *, of: str = "") -> None:
        """Run `work(beat)`, which is never to return."""
        loop = Loop(component, of, self._now)
        loop.due = self._now() + FIRST_BEAT_WITHIN
        loop.task = asyncio.create_task(self._keep(loop, work), name=f"acmx-{component} {of}".strip())
        self.loops.append(loop)

    async def stop(self) -> None:
        tasks = [loop.task for loop in self.loops if loop.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.loops.clear()

    async def _keep(self, loop: Loop, work: Work) -> None:
        failures = 0
        told = ""
        while True:
            began = self._now()
            try:
                await work(loop.beat)
            except Exception as error:  # noqa: BLE001
                failures = failures + 1 if self._now() - began < STEADY else 1
                loop.failure = in_words(error)
                if failures == 1 or loop.failure != told:
                    told = loop.failure
                    _log(loop, error)
            else:
                return
            pause = delay(failures, longest=LONGEST_PAUSE).total_seconds()
            loop.due = self._now() + pause + FIRST_BEAT_WITHIN
            await asyncio.sleep(pause)


def in_words(error: BaseException) -> str:
    """Of a group, what the first in it says."""
    if isinstance(error, BaseExceptionGroup):
        return in_words(error.exceptions[0])
    return str(error) or type(error).__name__


def unnamed(error: BaseException) -> BaseException | None:
    """What belongs into the log with its traceback; None for troubles that have a name."""
    if isinstance(error, BaseExceptionGroup):
        return error if any(map(unnamed, error.exceptions)) else None
    return None if isinstance(error, AcmxError) else error


def _log(loop: Loop, error: Exception) -> None:
    """What goes on failing in the same way is told once."""
    strange = unnamed(error)
    log.log(
        40 if strange else 30,
        "a loop failed and is begun again",
        component=loop.component,
        of=loop.of or None,
        error=in_words(error),
        exc_info=strange,
    )
