"""Ask for the proof of one law or step: `-m "law(number=3)"`, `-m "step(number=13)"`; on one engine: `--engine sqlite`.

A test that asks for the fixture `engine` runs on both, unless it is marked `sqlite`; one that is marked `slow` runs on
SQLite, or on the one that was asked for.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import engines

settings.register_profile("acmx", deadline=None)
"""No example is timed: the machine may be busy."""
settings.load_profile("acmx")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`@pytest.mark.step(3, 4)` proves both."""
    for item in items:
        for mark in [*item.iter_markers("law"), *item.iter_markers("step")]:
            for number in mark.args:
                item.add_marker(getattr(pytest.mark, mark.name)(number=number))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine", choices=(*engines.ENGINES, "both"), default="both", help="of the stores in the tests"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("engine")
        names = engines.ENGINES if chosen == "both" else (chosen,)
        about = {mark.name for mark in metafunc.definition.iter_markers()}
        if "sqlite" in about or ("slow" in about and chosen == "both"):
            names = tuple(name for name in names if name == "sqlite")
        metafunc.parametrize("engine", names, indirect=True)


@pytest.fixture
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """What is no function, a state machine, runs on SQLite, or on what was asked for."""
    asked = request.config.getoption("engine")
    with engines.engine(getattr(request, "param", "sqlite" if asked == "both" else asked)) as name:
        yield name
        engines.drop_spared()
        engines.drop_at(tmp_path)
