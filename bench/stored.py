"""What each step costs at a thousand and at a million stored exchanges, and what a start costs then.

`uv run python -m bench.stored [--exchanges N]`: two pairs of `acmx serve`, of which one holds N exchanges at each side,
copies of one that went the whole way. The same is done at both in turn, request after request; what is compared is the
processor time of the server that does it. Then each is stopped and started again.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.copies import fill, seal_all
from bench.pages import Browser
from bench.processes import Server, serving, until
from bench.results import at_most
from bench.systems import FIRE, PURPOSE, USERS, onboard
from uuid_utils import uuid7

from acmx.client import Client
from acmx.domain.acm1 import Review, Submission, VerdictInput

FEW = 1_000
ROUNDS = 15
STARTS = 5
OF_A_ROUND = 30
SETTLED_S = 0.05
PATIENCE_S = 600.0
REVIEW_REASON = "as agreed"


class Pair(NamedTuple):
    """Two systems that run, and who talks to them."""

    police: Server
    fire: Server
    asker: Client
    reviewer: Client
    browser: Browser


class Start(NamedTuple):
    """Until both listeners answer, and what is resident 3 s later."""

    seconds: float
    mib: float


def submit(pair: Pair) -> str:
    submission = Submission(kind="server-identity", partner=FIRE, users=USERS, purpose=PURPOSE)
    return pair.asker.submit(submission, str(uuid7())).id


def arrive(pair: Pair, ids: set[str]) -> None:
    """Wait until the reviewer sees them all."""
    until(
        lambda: ids <= {item.id for item in pair.reviewer.pending(limit=100).to_decide},
        within=PATIENCE_S,
    )


def review(pair: Pair, id_: str, seen: str) -> None:
    pair.reviewer.review(id_, Review((VerdictInput(approved=True),), REVIEW_REASON, seen))


def one_round(pair: Pair) -> dict[str, float]:
    """CPU in milliseconds of each step, as the server that does it spends it."""
    cost: dict[str, float] = {}
    ids: list[str] = []
    cost["submit"] = _cost(pair.police, [lambda: ids.append(submit(pair))] * OF_A_ROUND)
    arrive(pair, set(ids))
    cost["pending"] = _cost(pair.fire, [lambda: pair.reviewer.pending(limit=50)] * OF_A_ROUND)
    cost["list, first page"] = _cost(pair.fire, [lambda: pair.reviewer.requests(limit=50)] * OF_A_ROUND)
    delivered = partial(pair.reviewer.requests, state="delivered", limit=50)
    cost["list, filtered"] = _cost(pair.fire, [delivered] * OF_A_ROUND)
    after = delivered().next
    cost["list, second page"] = _cost(pair.fire, [partial(delivered, after=after)] * OF_A_ROUND)
    for page in ("/inbox", "/exchanges"):
        cost[f"console {page}"] = _cost(pair.fire, [partial(pair.browser.get, page)] * OF_A_ROUND)
    seen = {id_: pair.reviewer.exchange(id_).seen for id_ in ids}
    cost["review"] = _cost(pair.fire, [partial(review, pair, id_, seen[id_]) for id_ in ids])
    until(lambda: all(pair.asker.exchange(id_).state == "answered" for id_ in ids), within=PATIENCE_S)
    return cost


def _cost(server: Server, acts: list[Callable[[], object]]) -> float:
    _quiet(server)
    before = server.cpu_seconds()
    for act in acts:
        act()
    _quiet(server)
    return (server.cpu_seconds() - before) * 1000 / len(acts)


def _quiet(server: Server) -> None:
    """Until what was begun before is done."""
    before = -1.0
    while before != (before := server.cpu_seconds()):
        time.sleep(SETTLED_S)


def started(server: Server) -> Start:
    began = time.monotonic()
    server.start()
    server.listening()
    seconds = time.monotonic() - began
    time.sleep(3)
    return Start(seconds, server.resident())


def prepare(folder: Path, count: int) -> None:
    """Two systems with `count` stored exchanges each."""
    onboard(folder, approves=0)
    with both(folder) as pair:
        id_ = submit(pair)
        arrive(pair, {id_})
        review(pair, id_, pair.reviewer.exchange(id_).seen)
        until(lambda: pair.asker.exchange(id_).state == "answered")
        pair.asker.retrieve(id_)
        until(lambda: pair.reviewer.exchange(id_).state == "delivered")
    for system in ("police", "fire"):
        fill(folder / system, id_, count)
        asyncio.run(seal_all(folder / system))


@contextmanager
def both(folder: Path) -> Iterator[Pair]:
    police, fire = Server(folder / "police"), Server(folder / "fire")
    with serving(police, fire), police.client() as asker, fire.client() as reviewer:
        yield Pair(police, fire, asker, reviewer, Browser(fire))


def compared(few: Pair, many: Pair) -> dict[str, tuple[float, float, float]]:
    """Of each step: CPU in milliseconds at few, at many, and the median of the ratios within a round."""
    rounds = []
    for number in range(ROUNDS + 1):
        pairs = (few, many) if number % 2 else (many, few)
        costs = {pair: one_round(pair) for pair in pairs}
        if number > 0:  # the first warms up
            rounds.append((costs[few], costs[many]))
    return {
        step: (
            median(at_few[step] for at_few, _ in rounds),
            median(at_many[step] for _, at_many in rounds),
            median(at_many[step] / at_few[step] for at_few, at_many in rounds),
        )
        for step in rounds[0][0]
    }


def starts(folder: Path) -> list[Start]:
    """Of the police, again and again."""
    found = []
    for _ in range(STARTS):
        server = Server(folder / "police")
        found.append(started(server))
        server.stop()
    return found


def report(steps: dict[str, tuple[float, float, float]], begun: dict[str, list[Start]], count: int) -> None:
    print(f"{'CPU of the server':20} {FEW:>12,} {count:>12,}   ratio")
    for step, (few, many, ratio) in steps.items():
        print(f"{step:20} {few:9.2f} ms {many:9.2f} ms   {ratio:5.2f}")
        at_most(1.2, "stored", f"CPU of {step}, {count:,} / {FEW:,} stored", ratio)
        if step == "console /inbox":
            at_most(100, "stored", f"first page of the console at {count:,}", many, "ms")
    empty = 0.0
    for name, found in begun.items():
        seconds, mib = (median(values) for values in zip(*found, strict=True))
        print(f"start, {name:16} {seconds:5.2f} s, resident {mib:4.0f} MiB")
        empty = empty or mib
        at_most(2, "stored", f"start, {name}", seconds, "s")
        at_most(20, "stored", f"memory after a start above an empty one, {name}", mib - empty, "MiB")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exchanges", type=int, default=1_000_000)
    count = parser.parse_args().exchanges
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as name:
        folders = {held: Path(name, str(held)) for held in (FEW, count)}
        onboard(Path(name, "none"), approves=0)
        for held, folder in folders.items():
            prepare(folder, held)
        with both(folders[FEW]) as few, both(folders[count]) as many:
            steps = compared(few, many)
        places = {"none stored": Path(name, "none")} | {f"{n:,} stored": f for n, f in folders.items()}
        report(steps, {said: starts(folder) for said, folder in places.items()}, count)
    return 0


if __name__ == "__main__":
    sys.exit(main())
