"""Law 1 while a replicated database crashes and fails over: the same as `bench.estate`, each fault once."""

import secrets
import sys
from pathlib import Path

import pytest
from bench.estate.__main__ import run


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.law(1, 2, 3)
def test_what_was_acknowledged_survives_whatever_happens_to_a_synchronous_pair(tmp_path: Path) -> None:
    seed = secrets.randbelow(10**6)
    sys.stdout.write(
        f"uv run python -m bench.estate --faults 7 --failovers 2 --required --no-full-disk --seed {seed}\n"
    )
    report, wrong = run(
        tmp_path, faults=7, failovers=2, seed=seed, synchronous=True, required=True, small_disks=False
    )
    sys.stdout.write(report)
    assert wrong == []
