"""Supervised loops: one exception never ends one, and a loop that is silent is seen to be stuck."""

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from acmx.bootstrap.vitals import Vitals
from acmx.delivery import supervisor
from acmx.delivery.supervisor import Beat, Supervisor
from acmx.domain.errors import TemporarilyUnavailable
from support.systems.systems import eventually, turns


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.law(6)
async def test_a_loop_that_fails_is_begun_again_and_is_not_ready_until_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE", timedelta(milliseconds=50))
    began: list[int] = []
    fail = asyncio.Event()

    async def work(beat: Beat) -> None:
        beat(1.0)
        began.append(len(began))
        await fail.wait()
        fail.clear()
        raise ValueError("a stumble")

    kept = Supervisor(Time())
    vitals = Vitals(kept, list, lambda: None)
    assert not vitals.ready()
    kept.keep("delivery", work, of="mc.b.example")
    await turns(10)
    assert vitals.ready()

    async def kept_failure() -> str | None:
        return kept.loops[0].failure

    async def begun() -> int:
        return len(began)

    fail.set()
    await eventually(kept_failure, bool)
    assert (vitals.ready(), vitals.alive()) == (False, True)
    component = vitals.components()[0]
    assert (component.name, component.of, component.ok) == ("delivery", "mc.b.example", False)
    assert "a stumble" in str(component.trouble)
    await eventually(begun, lambda count: count == 2)
    assert vitals.ready()
    await kept.stop()


async def test_a_loop_that_breaks_its_promise_is_stuck_until_it_is_heard_of() -> None:
    time = Time()
    kept = Supervisor(time)
    vitals = Vitals(kept, list, lambda: None)
    go_on = asyncio.Event()

    async def work(beat: Beat) -> None:
        while True:
            beat(5.0)
            await go_on.wait()
            go_on.clear()

    kept.keep("clockwork", work)
    await turns(10)
    time.now = 5.0
    assert vitals.alive()
    time.now = 5.1
    assert (vitals.alive(), vitals.ready()) == (False, False)
    go_on.set()
    await turns(10)
    assert (vitals.alive(), vitals.ready()) == (True, True)
    await kept.stop()


async def test_a_loop_that_ended_is_dead() -> None:
    kept = Supervisor(Time())

    async def work(_beat: Beat) -> None:
        await asyncio.Event().wait()

    kept.keep("writer", work)
    await turns(10)
    task = kept.loops[0].task
    assert task is not None
    task.cancel()
    await turns(10)
    assert not Vitals(kept, list, lambda: None).alive()


@pytest.mark.parametrize(
    ("error", "words", "strange"),
    [
        (TemporarilyUnavailable("away"), "away", False),
        (
            ExceptionGroup("several", [ExceptionGroup("in one", [TemporarilyUnavailable("away")])]),
            "away",
            False,
        ),
        (ExceptionGroup("several", [TemporarilyUnavailable("away"), ValueError("odd")]), "away", True),
        (ValueError("odd"), "odd", True),
    ],
)
async def test_what_goes_on_failing_is_told_once_and_what_has_a_name_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, error: Exception, words: str, strange: bool
) -> None:
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE", timedelta(milliseconds=1))
    began: list[Exception] = []

    async def work(beat: Beat) -> None:
        beat(60.0)
        began.append(error)
        raise error if len(began) < 5 else KeyError("another")

    kept = Supervisor(Time())
    with capture_logs() as said:
        kept.keep("delivery", work)
        await eventually(lambda: len(began), lambda count: count > 6)
        await kept.stop()
    first, second = said
    assert words in first["error"]
    assert bool(first["exc_info"]) is strange
    assert second["error"] == "'another'"
