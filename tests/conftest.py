"""Ask for the proof of one law or step: `-m "law(number=3)"`, `-m "step(number=13)"`."""

import pytest
from hypothesis import settings

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
