"""How long to wait after a failure: seconds first, doubling with jitter, 15 minutes at most; 30 s while work waits."""

import random
from datetime import timedelta

from msgspec import Struct

FIRST = timedelta(seconds=1)
LONGEST = timedelta(minutes=15)


class Pace(Struct, frozen=True):
    """`probe`: the longest between two probes while something waits; `answer`: how long a reply is waited for."""

    probe: timedelta = timedelta(seconds=30)
    answer: timedelta = timedelta(seconds=30)


def delay(failures: int, *, longest: timedelta = LONGEST) -> timedelta:
    """After so many failures in a row, from 1."""
    doubled = FIRST * (1 << min(failures - 1, 20))
    return min(doubled, longest) * random.uniform(0.75, 1.0)  # noqa: S311
