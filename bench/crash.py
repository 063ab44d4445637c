"""Kill -9 of either server at random moments, over and over, while people submit, withdraw and review.

`uv run python -m bench.crash --trials 300 --seed 7`: two `acmx serve` processes on the same directories all along.
A trial ends one of them by SIGKILL at a moment chosen at random, perhaps while it still starts, and begins it
again. In the end the databases have to agree (`bench.agreement`), and every success that a client saw has to be in
them. The seed repeats the choices of victims, moments and requests; what the machine does in between varies.
"""

import argparse
import random
import secrets
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from bench import agreement
from bench.processes import Server
from bench.systems import FIRE, POLICE, PURPOSE, onboard

from acmx.client import Client
from acmx.domain.acm1 import Review, Submission, VerdictInput
from acmx.domain.errors import AcmxError, NotNow, OutcomeStands, Unreachable, VersionsDiffer
from acmx.domain.exchange import State

REQUESTERS = 3
BETWEEN_SUBMISSIONS = 0.02
LONGEST_MOMENT = 0.8
STILL_STARTING = 0.25
WITHDRAWN = 0.2
PATIENCE = 90.0
T = TypeVar("T")


class People:
    """Requesters and a reviewer; each repeats a call until the server has answered it."""

    def __init__(self, police: Server, fire: Server, seed: int) -> None:
        self.accepted: list[str] = []
        self.reviewed: list[str] = []
        self._gone = threading.Event()
        self._failed: list[BaseException] = []
        work = [lambda n=n: self._request(police, n, random.Random(f"{seed} {n}")) for n in range(REQUESTERS)]
        self._threads = [
            threading.Thread(target=self._until_gone, args=(each,))
            for each in (*work, lambda: self._review(fire))
        ]

    def come(self) -> None:
        for thread in self._threads:
            thread.start()

    def go(self) -> None:
        """Wait for the calls under way. Raises what went wrong in them."""
        self._gone.set()
        for thread in self._threads:
            thread.join()
        if self._failed:
            raise self._failed[0]

    def _until_gone(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001
            self._failed.append(error)

    def _request(self, police: Server, requester: int, choices: random.Random) -> None:
        client, number = police.client(), 0
        while not self._gone.is_set():
            number += 1
            users = tuple(f"sip:officer.{n}@{POLICE}" for n in range(choices.choice((1, 2))))
            submission = Submission(kind="server-identity", partner=FIRE, users=users, purpose=PURPOSE)
            id_ = _repeated(lambda: client.submit(submission, f"{requester}-{number}")).id  # noqa: B023
            self.accepted.append(id_)
            if choices.random() < WITHDRAWN:
                with suppress(NotNow):
                    _repeated(lambda: client.withdraw(id_))  # noqa: B023
            self._gone.wait(BETWEEN_SUBMISSIONS)

    def _review(self, fire: Server) -> None:
        client = fire.client()
        while not self._gone.is_set():
            for waiting in _repeated(lambda: client.pending(limit=20)).to_decide:
                with suppress(NotNow, OutcomeStands, VersionsDiffer):
                    self._decide(client, waiting.id)
            self._gone.wait(BETWEEN_SUBMISSIONS)

    def _decide(self, client: Client, id_: str) -> None:
        seen = _repeated(lambda: client.exchange(id_)).seen
        verdict = Review((VerdictInput(approved=True),), "as agreed", seen)
        self.reviewed.append(_repeated(lambda: client.review(id_, verdict)).id)


def _repeated(call: Callable[[], T]) -> T:
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            return call()
        except Unreachable:
            if time.monotonic() > ends:
                raise


def trials(folder: Path, number: int, seed: int) -> str:
    """Make two systems in `folder` and crash them; a line about it. Raises AssertionError, naming what is wrong."""
    onboard(folder, approves=1)
    police, fire = Server(folder / "police"), Server(folder / "fire")
    people = People(police, fire, seed)
    begun = time.monotonic()
    try:
        for server in (police, fire):
            server.start()
        people.come()
        kills = _crash(police, fire, number, random.Random(seed))
        for server in (police, fire):
            server.listening()
        people.go()
        _until_quiet(police.directory, fire.directory)
    finally:
        for server in (police, fire):
            server.kill()
    wrong = agreement.disagreements(police.directory, fire.directory, people.accepted)
    states = agreement.states(fire.directory)
    wrong += [
        f"{id_}: reviewed, but {states.get(id_)}"
        for id_ in people.reviewed
        if states.get(id_) != State.DELIVERED
    ]
    assert not wrong, "\n".join([f"seed {seed}, {number} trials", *wrong[:20]])
    ended = Counter(agreement.states(police.directory).values())
    return (
        f"{number} kills ({kills[0]} of the primary, {kills[1]} of the partner) in {time.monotonic() - begun:.0f} s, "
        f"{len(people.accepted)} submissions and {len(people.reviewed)} reviews acknowledged: none lost, none twice, "
        f"both sides agree ({', '.join(f'{n} {state}' for state, n in sorted(ended.items()))})"
    )


def _crash(police: Server, fire: Server, number: int, choices: random.Random) -> tuple[int, int]:
    kills = [0, 0]
    for _ in range(number):
        victim, moment = choices.randrange(2), choices.uniform(0, LONGEST_MOMENT)
        server = (police, fire)[victim]
        if choices.random() > STILL_STARTING:
            server.listening()
        time.sleep(moment)
        server.kill()
        server.start()
        kills[victim] += 1
    return kills[0], kills[1]


def _until_quiet(*directories: Path) -> None:
    """Nothing waits anywhere, twice in a row: a receipt may have queued a response."""
    ends, quiet = time.monotonic() + PATIENCE, 0
    while quiet < 2 and time.monotonic() < ends:
        quiet = 0 if any(map(agreement.waiting, directories)) else quiet + 1
        time.sleep(0.25)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.crash")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        try:
            print(trials(Path(folder), asked.trials, asked.seed))
        except (AssertionError, AcmxError) as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
