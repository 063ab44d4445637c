"""`python -m bench.fuzz --seconds N [--target NAME] [--seed S]`: parsers by atheris, both faces by schemathesis.

An input that breaks something is kept beside the place where this was started, and named. The status is 1 then.
"""

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import atheris

FACES = ("acm1-http", "acm2-http")
WATCHED = ["acmx.domain", "acmx.trust", "acmx.config", "acmx.kinds", "acmx.flows.acm2.arrivals"]


def main() -> int:
    asked = argparse.ArgumentParser(prog="bench.fuzz", description=__doc__)
    asked.add_argument("--seconds", type=int, default=60, help="for each target")
    asked.add_argument(
        "--runs", type=int, default=0, help="instead of seconds: of a parser, or of each operation"
    )
    asked.add_argument("--target", action="append", help="a parser, all (parsers), acm1-http or acm2-http")
    asked.add_argument("--seed", type=int, default=random.randrange(1, 2**31))
    asked.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.here:
        _fuzz(given.target[0], given)
    worst = 0
    for name in given.target or ["all", *FACES]:
        print(f"== {name}, seed {given.seed}", flush=True)
        worst = max(worst, _faced(name, given) if name in FACES else _parsed(name, given))
    return worst


def _parsed(name: str, given: argparse.Namespace) -> int:
    """libFuzzer ends its process, so it has one of its own."""
    command = [sys.executable, "-m", "bench.fuzz", "--here", "--target", name, "--seed", str(given.seed)]
    command += ["--seconds", str(given.seconds), "--runs", str(given.runs)]
    return subprocess.run(command, check=False).returncode


def _faced(name: str, given: argparse.Namespace) -> int:
    from bench.fuzz_faces import fuzz  # noqa: PLC0415

    return fuzz(name, seconds=given.seconds, runs=given.runs, seed=given.seed)


def _fuzz(name: str, given: argparse.Namespace) -> None:
    with atheris.instrument_imports(include=WATCHED, enable_loader_override=False):
        from bench.parsers import TARGETS, seeds  # noqa: PLC0415
    parsers = list(TARGETS) if name == "all" else [name]

    def one(data: bytes) -> None:
        """The first byte says which parser gets the rest."""
        if data:
            TARGETS[parsers[data[0] % len(parsers)]](data[1:])

    with tempfile.TemporaryDirectory() as folder:
        for index, parser in enumerate(parsers):
            for n, seed in enumerate(seeds()[parser]):
                (Path(folder) / f"{parser}.{n}").write_bytes(bytes([index]) + seed)
        limit = f"-runs={given.runs}" if given.runs else f"-max_total_time={given.seconds}"
        flags = [limit, f"-seed={given.seed}", "-max_len=20000", "-verbosity=0", "-print_final_stats=1"]
        atheris.Setup([name, *flags, folder], one, internal_libfuzzer=True)
        atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
