"""A request with 10,000 users against one with 20, the whole path: submitted, decided by policy, answered, fetched.

`uv run python -m bench.users`: two `acmx serve`; requests one after the other, of each size in turn. Compared are the
processor time of both servers and the time until the answer is fetched.
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.processes import Server, serving
from bench.results import at_most
from bench.systems import FIRE, POLICE, PURPOSE, onboard
from uuid_utils import uuid7

from acmx.client import Client
from acmx.domain.acm1 import Submission

FEW, MANY = 20, 10_000
ROUNDS = 8
OF_FEW = 10
AIM = 40
PATIENCE_S = 60.0
LOOK_AGAIN = 0.005


class Figures(NamedTuple):
    """Of one exchange, in milliseconds."""

    took: float
    police_cpu: float
    fire_cpu: float

    @property
    def cpu(self) -> float:
        return self.police_cpu + self.fire_cpu


def exchanges(police: Server, fire: Server, client: Client, users: int, count: int) -> Figures:
    """As many, one after the other; what one took."""
    submission = Submission(
        kind="server-identity",
        partner=FIRE,
        users=tuple(f"sip:officer.{n}@{POLICE}" for n in range(users)),
        purpose=PURPOSE,
    )
    before, began = (police.cpu_seconds(), fire.cpu_seconds()), time.perf_counter()
    for _ in range(count):
        id_ = client.submit(submission, str(uuid7())).id
        end = time.monotonic() + PATIENCE_S
        while client.requests(limit=1).items[0].state != "answered":
            if time.monotonic() > end:
                raise SystemExit("no answer")
            time.sleep(LOOK_AGAIN)
        if len(client.retrieve(id_).verdicts[0].users) != users:
            raise SystemExit("not everybody was approved")
    took = time.perf_counter() - began
    spent = (police.cpu_seconds() - before[0], fire.cpu_seconds() - before[1])
    return Figures(*(value * 1000 / count for value in (took, *spent)))


def rounds(police: Server, fire: Server, client: Client) -> list[tuple[Figures, Figures]]:
    """Few and many in turn; the first round warms up."""
    found = [
        (exchanges(police, fire, client, FEW, OF_FEW), exchanges(police, fire, client, MANY, 1))
        for _ in range(ROUNDS + 1)
    ]
    return found[1:]


def report(found: list[tuple[Figures, Figures]]) -> None:
    for users, figures in zip((FEW, MANY), zip(*found, strict=True), strict=True):
        took, police, fire = (median(values) for values in zip(*figures, strict=True))
        print(
            f"{users:>6,} users: {took:6.1f} ms, CPU {police:6.1f} ms at the primary, {fire:6.1f} ms at the partner"
        )
    ratio = median(many.cpu / few.cpu for few, many in found)
    print(f"CPU of both servers: {ratio:.1f} x")
    at_most(AIM, "users", f"CPU with {MANY:,} users / with {FEW}", ratio)


def main() -> int:
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as name:
        folder = Path(name)
        onboard(folder, approves=MANY)
        servers = Server(folder / "police"), Server(folder / "fire")
        with serving(*servers), servers[0].client() as client:
            report(rounds(*servers, client))
    return 0


if __name__ == "__main__":
    sys.exit(main())
