"""Who is next where work is dear, and who is refused."""

import asyncio
from collections.abc import Coroutine

import pytest

from acmx.domain.errors import TooMuchAtOnce
from acmx.domain.networks import network_of
from acmx.faces.turns import Turns
from support.systems.systems import turns

pytestmark = pytest.mark.sqlite


class Work:
    """Whose turn it was, in order; each goes on until it is let go, and takes the seconds that `now` has gone on."""

    def __init__(self, *, at_once: int = 1, of_one: int = 100, in_all: int = 100, takes: float = 0.0) -> None:
        self.now = 0.0
        self.turns = Turns(at_once, of_one, in_all, takes=takes, steady=lambda: self.now)
        self.begun: list[str] = []
        self._gate = asyncio.Semaphore(0)

    async def do(self, whose: str, *, known: bool = False) -> None:
        async with self.turns.turn(whose, known=known):
            self.begun.append(whose)
            await self._gate.acquire()

    def let_go(self) -> None:
        self._gate.release()


async def all_begun(work: Work, *given: Coroutine[None, None, None]) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(one) for one in given]
    await turns(3)
    return tasks


async def finish(work: Work, count: int, *, each: float = 0.0) -> None:
    for _ in range(count):
        work.now += each
        work.let_go()
        await turns(5)


async def test_one_who_asks_once_waits_for_one_piece_of_work_at_most() -> None:
    work = Work()
    tasks = await all_begun(work, *(work.do("many") for _ in range(50)), work.do("quiet"))
    await finish(work, 1)
    assert work.begun == ["many", "quiet"]
    await finish(work, 50)
    await asyncio.gather(*tasks)


async def test_those_who_ask_again_and_again_take_turns_and_a_newcomer_goes_first() -> None:
    work = Work()
    busy = [work.do(whose) for whose in ("a", "b", "c") for _ in range(3)]
    tasks = await all_begun(work, *busy)
    await finish(work, 4)
    tasks += await all_begun(work, work.do("quiet"))
    await finish(work, 6)
    assert work.begun == ["a", "b", "c", "a", "b", "quiet", "c", "a", "b", "c"]
    await asyncio.gather(*tasks)


async def test_beyond_the_places_of_one_it_is_refused() -> None:
    work = Work(of_one=2)
    tasks = await all_begun(work, *(work.do("many") for _ in range(4)))
    assert [task.done() for task in tasks] == [False, False, False, True]
    with pytest.raises(TooMuchAtOnce) as refused:
        await tasks.pop()
    assert refused.value.members["retry_after"] == 5
    await finish(work, 3)
    await asyncio.gather(*tasks)


async def test_where_all_places_are_taken_the_last_of_those_who_have_most_gives_way() -> None:
    work = Work(in_all=4)
    many = await all_begun(work, *(work.do("many") for _ in range(5)))
    few = await all_begun(work, work.do("quiet"), work.do("quiet"))
    assert [task.done() for task in many] == [False, False, False, True, True]
    assert not any(task.done() for task in few)
    refused = await asyncio.gather(work.do("quiet"), *many[3:], return_exceptions=True)
    assert {type(error) for error in refused} == {TooMuchAtOnce}
    await finish(work, 5)
    await asyncio.gather(*many[:3], *few)


async def test_who_leaves_while_waiting_costs_nobody_a_turn() -> None:
    work = Work()
    tasks = await all_begun(work, *(work.do(whose) for whose in ("a", "b", "c", "d")))
    tasks[1].cancel()
    work.let_go()
    await turns(5)
    assert work.begun == ["a", "c"]
    work.let_go()
    tasks[2].cancel()
    tasks[3].cancel()
    await turns(5)
    assert not work.turns._waiting
    await all_begun(work, work.do("e"))
    assert work.begun[-1] == "e"
    work.let_go()
    await turns(5)


async def refused_for(work: Work, whose: str) -> int:
    """The seconds of the refusal."""
    with pytest.raises(TooMuchAtOnce) as refused:
        await work.do(whose)
    seconds: int = refused.value.members["retry_after"]
    return seconds


async def test_who_would_wait_too_long_behind_many_is_told_so_at_once() -> None:
    work = Work(at_once=2, takes=1.0)
    tasks = await all_begun(work, *(work.do(f"one of many {n}") for n in range(33)))
    assert await refused_for(work, "quiet") == 16
    await finish(work, 33)
    await asyncio.gather(*tasks)


async def test_how_long_the_work_takes_is_measured() -> None:
    work = Work(takes=0.1)
    for _ in range(100):
        one = await all_begun(work, work.do("any"))
        await finish(work, 1, each=4.0)
        await asyncio.gather(*one)
    tasks = await all_begun(work, *(work.do(f"one of many {n}") for n in range(5)))
    assert await refused_for(work, "quiet") == 16
    await finish(work, 5)
    await asyncio.gather(*tasks)


async def test_only_those_who_are_called_before_count() -> None:
    work = Work(takes=1.0)
    tasks = await all_begun(work, *(work.do("many") for _ in range(17)))
    assert await refused_for(work, "many") == 16
    tasks += await all_begun(work, work.do("quiet"))
    await finish(work, 1)
    assert work.begun == ["many", "quiet"]
    await finish(work, 17)
    await asyncio.gather(*tasks)


async def test_those_who_are_known_come_before_strangers_and_get_their_places() -> None:
    work = Work(in_all=16, takes=1.0)
    tasks = await all_begun(work, *(work.do(f"stranger {n}") for n in range(17)))
    tasks += await all_begun(work, work.do("known", known=True))
    assert [n for n, task in enumerate(tasks) if task.done()] == [16]
    await finish(work, 1)
    assert work.begun == ["stranger 0", "known"]
    await finish(work, 16)
    assert isinstance((await asyncio.gather(*tasks, return_exceptions=True))[16], TooMuchAtOnce)


async def test_who_is_overtaken_for_too_long_is_refused() -> None:
    work = Work(takes=1.0)
    tasks = await all_begun(work, work.do("at work"), work.do("stranger"))
    for n in range(4):
        tasks += await all_begun(work, work.do("known", known=True))
        await finish(work, 1, each=4.0)
        assert tasks[1].done() is (n == 3)
    await finish(work, 1)
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(answer) for answer in answers if answer] == [TooMuchAtOnce]


def test_one_client_has_all_of_its_network() -> None:
    assert network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("2001:db8:0:1::1") == network_of("2001:db8:0:1:ffff::2") == "2001:db8:0:1::/64"
    assert network_of("2001:db8:0:2::1") != network_of("2001:db8:0:1::1")
    assert network_of("::ffff:192.0.2.1") == "192.0.2.1"
    assert network_of("") == ""
