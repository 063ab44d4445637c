"""`python -m bench [MEASURE ...] [--json FILE]`: each measure in turn, then a table of what they found.

Without a name: those that end within some minutes. `all`: the long ones too (`crash`, `outage`, `rolling`, `estate`,
`search`).
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
from bench import machine, results
from bench.results import Result

SHORT = (
    "store",
    "accept",
    "exchanges",
    "floor",
    "users",
    "stored",
    "streams",
    "flood",
    "journal",
    "provision",
    "watched",
    "servers",
)
LONG = ("crash", "outage", "rolling", "estate", "search")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=", ".join((*SHORT, *LONG, "all")))
    parser.add_argument("--json", type=Path, help="write the machine and all that was found")
    asked = parser.parse_args()
    chosen = (*SHORT, *LONG) if asked.measures == ["all"] else tuple(asked.measures) or SHORT
    if unknown := [name for name in chosen if name not in (*SHORT, *LONG)]:
        parser.error(f"no such measure: {' '.join(unknown)}")
    described = machine.describe()
    with tempfile.NamedTemporaryFile() as file:
        worst = max(_run(name, file.name) for name in chosen)
        found = results.read(Path(file.name))
    print("==", ", ".join(f"{name} {value}" for name, value in described.items()))
    for result in found:
        print(_line(result))
    if asked.json:
        asked.json.write_bytes(
            msgspec.json.format(msgspec.json.encode({"machine": described, "found": found}))
        )
    return worst


def _run(name: str, file: str) -> int:
    print(f"== {name}", flush=True)
    environment = os.environ | {results.FILE: file}
    return subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False, env=environment).returncode


def _line(result: Result) -> str:
    aim = "" if result.aim is None else f"{result.side} {result.aim:g}{'' if result.met else '  NOT MET'}"
    return f"{result.measure:10} {result.what:58} {result.value:10.3g} {result.unit:12} {aim}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
