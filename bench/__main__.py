"""`python -m bench [store|accept|exchanges|crash|outage|journal|provision|rolling|all]`: each measure in turn."""

import subprocess
import sys

MEASURES = ("store", "accept", "exchanges", "crash", "outage", "journal", "provision", "rolling")


def main(asked: list[str]) -> int:
    chosen = MEASURES if asked in ([], ["all"]) else tuple(asked)
    if unknown := [name for name in chosen if name not in MEASURES]:
        print(
            f"no such measure: {' '.join(unknown)}; there are {' '.join(MEASURES)} and all", file=sys.stderr
        )
        return 2
    worst = 0
    for name in chosen:
        print(f"== {name}", flush=True)
        worst = max(worst, subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
