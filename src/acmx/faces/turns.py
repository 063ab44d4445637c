"""Work that is dear and asked for by anybody: a few at a time, the others wait by turns, and too many are refused."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

from acmx.domain.errors import TooMuchAtOnce

REMEMBERED = 10_000
Waiter = asyncio.Future[None]


class Turns:
    """Whose turn was longest ago is next, so that one who asks once waits for nobody who asks all the time.

    At most `at_once` are at work, and `in_all` wait, `of_one` of each. Where all places are taken, one who has fewer
    gets that of the last who came of those who have most.
    """

    def __init__(self, at_once: int, of_one: int, in_all: int) -> None:
        self._free = at_once
        self._of_one, self._in_all = of_one, in_all
        self._waiting: dict[str, deque[Waiter]] = {}
        self._served: OrderedDict[str, int] = OrderedDict()
        self._number = count(1)

    @asynccontextmanager
    async def turn(self, whose: str) -> AsyncIterator[None]:
        """Raises TooMuchAtOnce."""
        if self._free:
            self._free -= 1
            self._remember(whose)
        else:
            await self._called(whose)
        try:
            yield
        finally:
            self._pass_on()

    async def _called(self, whose: str) -> None:
        self._make_room(whose)
        waiter: Waiter = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(whose, deque()).append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                self._leave(whose, waiter)
            elif waiter.exception() is None:
                self._pass_on()
            raise

    def _make_room(self, whose: str) -> None:
        mine = len(self._waiting.get(whose, ()))
        if mine >= self._of_one:
            raise _refused()
        if sum(map(len, self._waiting.values())) < self._in_all:
            return
        most = max(self._waiting, key=lambda one: len(self._waiting[one]))
        if len(self._waiting[most]) <= mine + 1:
            raise _refused()
        last = self._waiting[most][-1]
        self._leave(most, last)
        if not last.cancelled():
            last.set_exception(_refused())

    def _pass_on(self) -> None:
        while self._waiting:
            whose = min(self._waiting, key=lambda one: self._served.get(one, 0))
            waiter = self._waiting[whose][0]
            self._leave(whose, waiter)
            if not waiter.cancelled():
                self._remember(whose)
                waiter.set_result(None)
                return
        self._free += 1

    def _leave(self, whose: str, waiter: Waiter) -> None:
        line = self._waiting.get(whose, deque())
        if waiter in line:
            line.remove(waiter)
        if not line:
            self._waiting.pop(whose, None)

    def _remember(self, whose: str) -> None:
        self._served[whose] = next(self._number)
        self._served.move_to_end(whose)
        if len(self._served) > REMEMBERED:
            self._served.popitem(last=False)


def _refused() -> TooMuchAtOnce:
    return TooMuchAtOnce(retry_after=5)
