"""Ask for a proof by its number: `-m "law(number=3)"`, `-m "step(number=13)"`; on PostgreSQL: `--engine postgres`.

A test that asks for the fixture `engine` runs on SQLite, or on what was asked for. With the mark `both` it runs on
both, unless one was asked for; with the mark `sqlite` or `postgres` on that one or not at all. One that is marked
`slow` runs on SQLite alone where both were asked for.
"""

import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from support.systems import engines
from support.systems.systems import Two, two_systems

settings.register_profile("acmx", deadline=None)
"""No example is timed: the machine may be busy."""
settings.load_profile("acmx")


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
"""A shell lets what it begins in the background ignore Ctrl-C, and so would all that the tests begin."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`@pytest.mark.step(3, 4)` proves both."""
    for item in items:
        for mark in [*item.iter_markers("law"), *item.iter_markers("step")]:
            for number in mark.args:
                item.add_marker(getattr(pytest.mark, mark.name)(number=number))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--engine", choices=(*engines.ENGINES, "both"), help="of the stores in the tests")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        about = {mark.name for mark in metafunc.definition.iter_markers()}
        names = _engines(metafunc.config.getoption("engine"), about)
        metafunc.parametrize("engine", names, indirect=True)


def _engines(asked: str | None, about: set[str]) -> list[str]:
    possible = [name for name in engines.ENGINES if name in about] or [*engines.ENGINES]
    if asked in engines.ENGINES:
        return [name for name in possible if name == asked]
    on_both = "both" in about or (asked == "both" and "slow" not in about)
    return possible if on_both else possible[:1]


@pytest.fixture
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """What is no function, a state machine, runs on SQLite, or on what was asked for."""
    asked = request.config.getoption("engine")
    with engines.engine(getattr(request, "param", "postgres" if asked == "postgres" else "sqlite")) as name:
        yield name
        engines.drop_spared()
        engines.drop_at(tmp_path)


@pytest.fixture
async def systems(engine: str, tmp_path: Path) -> AsyncIterator[Two]:
    """Two MC systems that run and know each other."""
    async with two_systems(tmp_path) as both:
        yield both
