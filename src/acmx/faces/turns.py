"""Work that is dear and asked for by anybody: a few at a time, the others wait by turns, and too many are refused."""

import asyncio
import math
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from time import monotonic

from acmx.domain.errors import TooMuchAtOnce

LONGEST = 15.0
"""Seconds: who would wait longer is refused at once, and who has waited longer as soon as somebody else is done."""
REMEMBERED = 10_000
MEASURED = 16
"""So many pieces of work, about, the time that one takes is the mean of."""
Waiter = asyncio.Future[None]
Line = tuple[bool, str]
"""Whether they are strangers, and whose."""


class Turns:
    """Whose turn was longest ago is next, so that one who asks once waits for nobody who asks all the time.

    Strangers come after those who are known. At most `at_once` are at work, and `in_all` wait, `of_one` of each line.
    Where all places are taken, one who has fewer gets that of the last who came of those who have most. `takes`:
    seconds that the work may take, before any was measured by `steady`.
    """

    def __init__(
        self,
        at_once: int,
        of_one: int,
        in_all: int,
        *,
        takes: float,
        steady: Callable[[], float] = monotonic,
    ) -> None:
        self._free = self._at_once = at_once
        self._of_one, self._in_all = of_one, in_all
        self._takes, self._steady = takes, steady
        self._waiting: dict[Line, deque[Waiter]] = {}
        self._since: dict[Waiter, float] = {}
        self._served: OrderedDict[Line, int] = OrderedDict()
        self._number = count(1)

    @asynccontextmanager
    async def turn(self, whose: str, *, known: bool = False) -> AsyncIterator[None]:
        """Raises TooMuchAtOnce."""
        line = (not known, whose)
        if self._free:
            self._free -= 1
            self._remember(line)
        else:
            await self._called(line)
        begun = self._steady()
        try:
            yield
            self._takes += (self._steady() - begun - self._takes) / MEASURED
        finally:
            self._pass_on()

    async def _called(self, line: Line) -> None:
        if (wait := self._before(line) * self._takes / self._at_once) > LONGEST:
            raise _refused(wait)
        self._make_room(line)
        waiter: Waiter = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(line, deque()).append(waiter)
        self._since[waiter] = self._steady()
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                self._leave(line, waiter)
            elif waiter.exception() is None:
                self._pass_on()
            raise

    def _before(self, line: Line) -> int:
        """How many are called before one who joins this line now, if nobody else comes."""
        mine = len(self._waiting.get(line, ()))
        before = mine
        for other, waiting in self._waiting.items():
            if other[0] < line[0]:
                before += len(waiting)
            elif other[0] == line[0] and other != line:
                before += min(len(waiting), mine + (self._rank(other) <= self._rank(line)))
        return before

    def _make_room(self, line: Line) -> None:
        mine = len(self._waiting.get(line, ()))
        if mine >= self._of_one:
            raise _refused()
        if len(self._since) < self._in_all:
            return
        most = max(reversed(self._waiting), key=self._size)
        if self._size(most) <= (line[0], mine + 1):
            raise _refused()
        self._refuse(most, self._waiting[most][-1])

    def _pass_on(self) -> None:
        self._refuse_overdue()
        while self._waiting:
            line = min(self._waiting, key=self._rank)
            waiter = self._waiting[line][0]
            self._leave(line, waiter)
            if not waiter.cancelled():
                self._remember(line)
                waiter.set_result(None)
                return
        self._free += 1

    def _refuse_overdue(self) -> None:
        """Those whom others went before who came later."""
        begun = self._steady() - LONGEST
        for line, waiting in list(self._waiting.items()):
            for waiter in [waiter for waiter in waiting if self._since[waiter] < begun]:
                self._refuse(line, waiter, LONGEST)

    def _refuse(self, line: Line, waiter: Waiter, retry_after: float = 5) -> None:
        self._leave(line, waiter)
        if not waiter.cancelled():
            waiter.set_exception(_refused(retry_after))

    def _rank(self, line: Line) -> tuple[bool, int]:
        return line[0], self._served.get(line, 0)

    def _size(self, line: Line) -> tuple[bool, int]:
        return line[0], len(self._waiting[line])

    def _leave(self, line: Line, waiter: Waiter) -> None:
        waiting = self._waiting.get(line, deque())
        if waiter in waiting:
            waiting.remove(waiter)
            del self._since[waiter]
        if not waiting:
            self._waiting.pop(line, None)

    def _remember(self, line: Line) -> None:
        self._served[line] = next(self._number)
        self._served.move_to_end(line)
        if len(self._served) > REMEMBERED:
            self._served.popitem(last=False)


def _refused(retry_after: float = 5) -> TooMuchAtOnce:
    return TooMuchAtOnce(retry_after=math.ceil(retry_after))
