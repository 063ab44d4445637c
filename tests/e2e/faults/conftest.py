"""One pair of neighbours for all tests of a module; each test begins and ends with a link that works."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from support.faults.proxy import Proxy
from support.systems.neighbours import Neighbours


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    with ExitStack() as stack:
        ways = stack.enter_context(Proxy()), stack.enter_context(Proxy())
        neighbours = Neighbours(tmp_path_factory.mktemp("faults"), ways)
        for server in (neighbours.police, neighbours.fire):
            stack.callback(server.kill)
            server.start()
            server.listening()
        yield neighbours


@pytest.fixture
def neighbours(running: Neighbours) -> Iterator[Neighbours]:
    """Each test begins with a link that works."""
    running.submit(1)
    running.agree()
    yield running
    running.mend()
