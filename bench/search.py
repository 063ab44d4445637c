"""`python -m bench search [--case NAME]`: the long state searches, each with how many states there are.

What the tests search in small bounds, here in larger ones: both sides restored, updates and revocations, questions, and
clocks that lie. A law that does not hold is shown with the shortest way there, and the status is 1.
"""

import argparse
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from search.breadth_first import search
from search.model import Model
from search.worlds import AT_REST, Bounds, Broken

LAWS = AT_REST | {3, 5, 7}
A, B, BOTH = ("primary",), ("partner",), ("primary", "partner")
PLAIN = Bounds(questions=0, withdrawal=False, refusal=False, expiry=False, compared=True)
GRANTED = PLAIN._replace(updates=1, revocation=True)
ASKED = PLAIN._replace(questions=1)
CASES: dict[str, Bounds] = {
    "granted-both": GRANTED._replace(restored=BOTH),
    "granted-asked-A": GRANTED._replace(questions=1, restored=A),
    "granted-asked-B": GRANTED._replace(questions=1, restored=B),
    "granted-withdrawn-A": GRANTED._replace(withdrawal=True, refusal=True, restored=A),
    "granted-withdrawn-B": GRANTED._replace(withdrawal=True, refusal=True, restored=B),
    "granted-lies-A": GRANTED._replace(restored=A, lies=A),
    "granted-lies-B": GRANTED._replace(restored=B, lies=B),
    "asked-refused-both": ASKED._replace(refusal=True, restored=BOTH),
    "asked-twice-A": ASKED._replace(questions=2, refusal=True, restored=A),
    "asked-twice-B": ASKED._replace(questions=2, refusal=True, restored=B),
    "asked-lies-A": ASKED._replace(refusal=True, restored=A, lies=A),
    "asked-lies-B": ASKED._replace(refusal=True, restored=B, lies=B),
    "withdrawn-lies-A": PLAIN._replace(withdrawal=True, refusal=True, expiry=True, restored=A, lies=A),
    "withdrawn-lies-B": PLAIN._replace(withdrawal=True, refusal=True, expiry=True, restored=B, lies=B),
    "both-lie-A": PLAIN._replace(withdrawal=True, restored=A, lies=BOTH),
    "both-lie-B": PLAIN._replace(restored=B, lies=BOTH),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.search", description=__doc__)
    parser.add_argument("--case", action="append", choices=list(CASES))
    wrong = 0
    for name in parser.parse_args().case or CASES:
        began = time.process_time()
        try:
            found = f"{search(Model(CASES[name], laws=LAWS)):,} states"
        except Broken as broken:
            found, wrong = str(broken), 1
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"{name}: {found}, {time.process_time() - began:.0f} s, {peak:,} MiB so far", flush=True)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
