"""What runs here runs on every engine."""

import pytest


@pytest.fixture(autouse=True)
def _on_each_engine(engine: str) -> None:
    pass
