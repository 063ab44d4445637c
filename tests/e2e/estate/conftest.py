"""A pair of PostgreSQL clusters for each test, made in half a second."""

from collections.abc import Iterator

import pytest
from bench.postgres_pair import Pair


@pytest.fixture
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Synchronous, unless `asynchronous` was asked for by an indirect parameter."""
    with Pair(synchronous=getattr(request, "param", "synchronous") == "synchronous") as made:
        yield made
