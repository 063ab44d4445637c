"""Law 1 under kill -9: the same trials as `bench.crash`, a dozen of them."""

import secrets
import sys
from pathlib import Path

import pytest
from bench import crash


@pytest.mark.slow
@pytest.mark.law(1)
@pytest.mark.law(2)
@pytest.mark.law(3)
def test_what_was_acknowledged_survives_kill_9_of_either_server(tmp_path: Path) -> None:
    seed = secrets.randbelow(10**6)
    sys.stdout.write(f"uv run python -m bench.crash --trials 12 --seed {seed}\n")
    sys.stdout.write(crash.trials(tmp_path, 12, seed))
