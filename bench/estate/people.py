"""Requesters and a reviewer who go from one server to the other until one answers, and remember what they heard."""

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count, cycle
from typing import Self, TypeVar

from bench.estate.servers import PATIENCE, Servers
from bench.processes import Server, until
from bench.systems import FIRE, POLICE, PURPOSE

from acmx.client import Client
from acmx.domain.acm1 import Review, Submission, VerdictInput
from acmx.domain.errors import (
    NotFound,
    NotNow,
    OutcomeStands,
    TemporarilyUnavailable,
    Unreachable,
    VersionsDiffer,
)

REQUESTERS = 3
BETWEEN = 0.1
WITHDRAWN = 0.2
T = TypeVar("T")


class People:
    """They work while this is entered, but for pauses. `accepted` and `reviewed`: ids, as they were acknowledged."""

    def __init__(self, servers: Servers, seed: int) -> None:
        self.accepted: list[str] = []
        self.reviewed: list[str] = []
        self.failed: list[BaseException] = []
        self._seed = seed
        self._servers = servers
        self._gone, self._at_work = threading.Event(), threading.Event()
        self._work = [self._requester(n) for n in range(REQUESTERS)] + [self._reviewer]
        self._threads = [threading.Thread(target=self._until_gone, args=(work,)) for work in self._work]

    def __enter__(self) -> Self:
        self._at_work.set()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._gone.set()
        self._at_work.set()
        for thread in self._threads:
            thread.join()

    def pause(self) -> None:
        """Nobody begins anything; what is under way is answered within a second, or repeated."""
        self._at_work.clear()
        self._gone.wait(1.0)

    def resume(self) -> None:
        self._at_work.set()

    def wait_for_more(self) -> float:
        """Until something more is acknowledged: so many seconds. Raises what went wrong for them, or TimeoutError."""
        known, begun = len(self.accepted), time.monotonic()
        until(lambda: self._heard_more_than(known), within=PATIENCE, told=lambda: "nobody is served")
        if self.failed:
            raise self.failed[0]
        return time.monotonic() - begun

    def _heard_more_than(self, known: int) -> bool:
        self._servers.revive()
        return len(self.accepted) > known or bool(self.failed)

    def submit(self, key: str, choices: random.Random) -> str:
        """The id that was acknowledged."""
        users = tuple(f"sip:officer.{n}@{POLICE}" for n in range(choices.choice((1, 2))))
        submission = Submission(kind="server-identity", partner=FIRE, users=users, purpose=PURPOSE)
        id_ = answered(self._servers.police, lambda client: client.submit(submission, key)).id
        self.accepted.append(id_)
        return id_

    def _until_gone(self, work: Callable[[], None]) -> None:
        try:
            while not self._gone.wait(BETWEEN):
                self._at_work.wait()
                work()
        except BaseException as error:  # noqa: BLE001
            self.failed.append(error)

    def _requester(self, number: int) -> Callable[[], None]:
        choices, turns = random.Random(f"{self._seed} {number}"), count()

        def work() -> None:
            id_ = self.submit(f"{number}-{next(turns)}", choices)
            if choices.random() < WITHDRAWN:
                with suppress(NotNow, NotFound):  # it was decided before, or is lost
                    answered(self._servers.police, lambda client: client.withdraw(id_))

        return work

    def _reviewer(self) -> None:
        fire = [self._servers.fire]
        for waiting in answered(fire, lambda client: client.pending(limit=20)).to_decide:
            with suppress(NotNow, OutcomeStands, VersionsDiffer):
                seen = answered(fire, lambda client: client.exchange(waiting.id)).seen  # noqa: B023
                verdict = Review((VerdictInput(approved=True),), "as agreed", seen)
                decided = answered(fire, lambda client: client.review(waiting.id, verdict))  # noqa: B023
                self.reviewed.append(decided.id)


def answered(servers: list[Server], call: Callable[[Client], T]) -> T:
    """By whichever server does, and however often it has to be repeated. Raises what is no matter of patience."""
    ends = time.monotonic() + PATIENCE
    for server in cycle(servers):
        try:
            with server.client() as client:
                return call(client)
        except (Unreachable, TemporarilyUnavailable):
            if time.monotonic() > ends:
                raise
            time.sleep(BETWEEN)
    raise AssertionError
