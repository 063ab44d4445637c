"""Law 1 while every server is restarted in turn: the same as `bench.rolling`, one round of two."""

import sys
from pathlib import Path

import pytest
from bench import rolling

from support.systems import engines


@pytest.mark.slow
@pytest.mark.law(1, 6)
def test_a_rolling_restart_under_load_fails_no_call_that_one_retry_does_not_cure(tmp_path: Path) -> None:
    url = engines.make()
    try:
        rolled = rolling.roll(tmp_path, url, servers=2, rounds=1)
    finally:
        engines.drop(url)
    sys.stdout.write(f"{rolled}\n")
    assert rolled.accepted > 10
    assert rolled.failed == []
    assert rolled.wrong == []
