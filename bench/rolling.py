"""Several servers of one system on one PostgreSQL database are restarted one after the other, under load.

`uv run python -m bench.rolling [--servers 2] [--rounds 5] [--database URL]`: the police run so many `acmx serve`
behind a balancer that leads on to whoever takes a connection; the fire service answers by its policy. Meanwhile people
submit and look, and repeat a call that failed once, under the same key. In the end no call may have failed twice, both
systems have to agree on every exchange (`bench.agreement`), and every success that a client saw has to be in their
databases. Without `--database` a PostgreSQL of its own is started.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple, Self, TypeVar

import psycopg
from bench import agreement
from bench.balancer import Balancer
from bench.neighbours import another, database
from bench.processes import Server, until
from bench.systems import FIRE, POLICE, PURPOSE, TOKEN, USERS, onboard

from acmx.client import Client
from acmx.domain.acm1 import Submission
from acmx.domain.errors import TemporarilyUnavailable, Unreachable
from acmx.storage.engines import transfer

REQUESTERS = 4
BETWEEN = 0.02
PATIENCE = 90.0
SUBMISSION = Submission(kind="server-identity", partner=FIRE, users=USERS, purpose=PURPOSE)
T = TypeVar("T")


class People:
    """Requesters, each with a client of its own."""

    def __init__(self, port: int, certificate: Path) -> None:
        self._client = lambda: Client(f"https://127.0.0.1:{port}", TOKEN, certificate=certificate)
        self._gone = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(n,)) for n in range(REQUESTERS)]
        self.accepted: list[str] = []
        self.times: list[float] = []
        self.repeated: list[str] = []
        self.failed: list[str] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._gone.set()
        for thread in self._threads:
            thread.join()

    def _work(self, requester: int) -> None:
        client, number = self._client(), 0
        while not self._gone.is_set():
            number += 1
            key = f"{requester}-{number}"
            found = self._call(lambda: client.submit(SUBMISSION, key))  # noqa: B023
            if found is not None:
                self.accepted.append(found.id)
                self._call(lambda: client.exchange(found.id))  # noqa: B023
            self._gone.wait(BETWEEN)

    def _call(self, call: Callable[[], T]) -> T | None:
        began = time.monotonic()
        try:
            return call()
        except (TemporarilyUnavailable, Unreachable) as error:
            self.repeated.append(str(error))
        try:
            return call()
        except Exception as error:  # noqa: BLE001
            self.failed.append(f"after {time.monotonic() - began:.1f} s: {error!r}")
            return None
        finally:
            self.times.append(time.monotonic() - began)


class Rolled(NamedTuple):
    """`restarts` of a server; of the calls, those that were repeated, and what became of those that failed twice."""

    restarts: int
    accepted: int
    repeated: int
    longest_s: float
    failed: list[str]
    wrong: list[str]

    def __str__(self) -> str:
        return (
            f"{self.restarts} restarts, {self.accepted} requests accepted, {self.repeated} calls repeated once "
            f"(the longest took {self.longest_s:.1f} s), {len(self.failed)} failed, {len(self.wrong)} disagreements"
        )


def roll(folder: Path, url: str, *, servers: int, rounds: int) -> Rolled:
    """`url`: an empty database."""
    with ExitStack() as stack:
        acm1, acm2 = stack.enter_context(Balancer()), stack.enter_context(Balancer())
        onboard(folder, approves=100, via={POLICE: f"https://127.0.0.1:{acm2.port}"}, databases={POLICE: url})
        police = [Server(another(folder / "police", folder / f"police-{n}")) for n in range(1, servers + 1)]
        fire = Server(folder / "fire")
        for server in (*police, fire):
            stack.callback(server.stop)
            server.start()
        for server in (*police, fire):
            until(partial(_well, server), within=PATIENCE)
        acm1.lead_to(*(server.ports[0] for server in police))
        acm2.lead_to(*(server.ports[1] for server in police))
        with People(acm1.port, folder / "police" / "tls" / "acm1.pem") as people:
            for _ in range(rounds):
                for server in police:
                    time.sleep(1)
                    server.stop()
                    server.start()
                    until(partial(_well, server), within=PATIENCE)
        until(lambda: _drained(url, folder / "fire", len(people.accepted)), within=PATIENCE)
        for server in (*police, fire):
            server.stop()
    transfer.to_file(url, folder / "police" / "acmx.db")
    wrong = agreement.disagreements(folder / "police", folder / "fire", people.accepted)
    return Rolled(
        rounds * servers,
        len(people.accepted),
        len(people.repeated),
        max(people.times, default=0.0),
        people.failed,
        wrong,
    )


def _well(server: Server) -> bool:
    try:
        return server.client().health().ok
    except (TemporarilyUnavailable, Unreachable):
        return False


def _drained(url: str, fire: Path, accepted: int) -> bool:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT (SELECT COUNT(*) FROM outbox), (SELECT COUNT(*) FROM exchange WHERE state = 'answered')"
        ).fetchone()
    return row == (0, accepted) and agreement.waiting(fire) == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database", help="postgresql://..., an empty one")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="acmx-rolling-") as folder,
        database(given.database, Path(folder)) as url,
    ):
        rolled = roll(Path(folder), url, servers=given.servers, rounds=given.rounds)
    print("\n".join([str(rolled), *rolled.failed, *rolled.wrong]))
    return bool(rolled.failed or rolled.wrong)


if __name__ == "__main__":
    sys.exit(main())
