"""A short run of `bench.fuzz`: no parser breaks, no answer is a 5xx. The seed differs, and is named if it fails."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.sqlite

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
@pytest.mark.parametrize(("target", "runs"), [("all", 3000), ("acm1-http", 1), ("acm2-http", 2)])
def test_nothing_breaks(target: str, runs: int, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1, 2**31)
    command = [
        sys.executable,
        "-m",
        "bench.fuzz",
        "--target",
        target,
        "--runs",
        f"{runs}",
        "--seed",
        f"{seed}",
    ]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"seed {seed}: {done.stdout[-2000:]} {done.stderr[-4000:]}"
    assert "nothing broke" in done.stdout or f"number_of_executed_units: {runs}" in done.stderr
