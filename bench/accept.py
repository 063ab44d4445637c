"""Durable accepts at the partner's ACM-2 face, against the same server without storage and with a commit for each.

`uv run python -m bench.accept`: 64 kept connections with mutual TLS, each with one request of 20 users under way;
the messages are signed before the clock starts. Each server is a process of its own; the load comes from this one,
on the same cores. Every server verifies the signature, asks policy (which leaves each request to a person) and
signs the receipt; they differ in the store alone. All cases run in turn, several rounds; medians are printed, and
the ratios within a round, since other work on the machine makes the rounds differ.
"""

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import shim
from bench.connection import Connection, request
from bench.processes import cpu_seconds, running
from bench.results import at_least
from bench.systems import FIRE, POLICE, PURPOSE, USERS, onboard
from uuid_utils import uuid7

from acmx.bootstrap.own import own
from acmx.config import read
from acmx.domain.documents import encode
from acmx.domain.messages import VERSION, Person, Request
from acmx.storage.engines.sqlite_connection import connect
from acmx.trust import tls
from acmx.trust.own import Own

IN_FLIGHT = 64
ROUNDS = 15
AIM = 0.7
ROUND_SECONDS = 0.5
ROUND_MESSAGES = 2000


class Case(NamedTuple):
    """What is measured: the store, and how much longer an fsync takes."""

    store: str
    extra_us: int

    def __str__(self) -> str:
        if self.store == "none":
            return "without storage"
        commit = "group commit" if self.store == "group" else "commit per request"
        return f"{commit}, fsync + {self.extra_us} us"


NONE = Case("none", 0)
CASES = (NONE, Case("group", 0), Case("single", 0), Case("group", 1000), Case("single", 1000))


class Figures(NamedTuple):
    """What one round of a case gave."""

    accepts_per_second: float
    cpu_ms_per_accept: float
    p50_ms: float
    p99_ms: float


class Server(NamedTuple):
    """A running server and the connections to it; `accepted` counts the receipts it gave."""

    pid: int
    database: Path
    connections: list[Connection]
    accepted: list[int]


def messages(asker: Own) -> Iterator[bytes]:
    """New requests of the police, signed and ready to be sent."""
    while True:
        now = datetime.now(UTC)
        id_ = str(uuid7())
        body = encode(
            Request(
                version=VERSION,
                exchange=id_,
                n=1,
                sender=POLICE,
                receiver=FIRE,
                created_at=now,
                kind="server-identity",
                asker=Person(f"sip:admin@{POLICE}"),
                expires_at=now + timedelta(days=30),
                users=USERS,
                purpose=PURPOSE,
                reference="agreement 17",
            )
        )
        exchange = f"{POLICE}/{id_}"
        seal = asker.sign(body, to=FIRE, typ="acm-message", now=int(now.timestamp()), exchange=exchange, n=1)
        headers = {"ACM-Signature": seal, "Content-Type": "application/json"}
        yield request("PUT", f"/acm2/v1/exchanges/{exchange}/messages/1", headers, body)


async def measure(server: Server, ready: list[bytes]) -> Figures:
    """One round: each connection sends message after message until the time is up or all are sent."""
    waiting = iter(ready)
    took: list[float] = []
    end = time.perf_counter() + ROUND_SECONDS

    async def send(connection: Connection) -> None:
        for message in waiting:
            begun = time.perf_counter()
            reply = await connection.call(message)
            took.append(time.perf_counter() - begun)
            if reply.status != 200 or b"\r\nacm-signature: " not in reply.head:
                raise SystemExit(f"refused: {reply.status} {reply.body.decode()}")
            if time.perf_counter() > end:
                return

    cpu, started = cpu_seconds(server.pid), time.perf_counter()
    await asyncio.gather(*map(send, server.connections))
    seconds = time.perf_counter() - started
    cpu_ms = (cpu_seconds(server.pid) - cpu) * 1000
    server.accepted.append(len(took))
    took.sort()
    return Figures(
        len(took) / seconds,
        cpu_ms / len(took),
        took[len(took) // 2] * 1000,
        took[len(took) * 99 // 100] * 1000,
    )


async def rounds(servers: dict[Case, tuple[int, int, Path]], police: Path) -> dict[Case, list[Figures]]:
    """Every case in turn, ROUNDS times, each round beginning with another; what each round gave."""
    signed = messages(own(police, read(police / "config.toml")))
    open_ = {case: await reach(*server, police) for case, server in servers.items()}
    measured: dict[Case, list[Figures]] = {case: [] for case in servers}
    for number in range(ROUNDS + 1):
        ready = list(islice(signed, ROUND_MESSAGES))
        first = number % len(CASES)
        for case in CASES[first:] + CASES[:first]:
            figures = await measure(open_[case], ready)
            if number > 0:  # the first round warms up
                measured[case].append(figures)
    for case, server in open_.items():
        _check(case, server)
        for connection in server.connections:
            connection.close()
    return measured


async def reach(pid: int, port: int, directory: Path, police: Path) -> Server:
    certificate = (directory / "tls" / "acm2.pem").read_text()
    context = tls.client_context(police / "tls" / "acm2.pem", police / "tls" / "acm2.key", [certificate])
    connections = [await Connection.open(port, context) for _ in range(IN_FLIGHT)]
    return Server(pid, directory / "acmx.db", connections, [])


def _check(case: Case, server: Server) -> None:
    """Every accept that was counted is in the database, and nothing else."""
    stored = 0 if case == NONE else sum(server.accepted)
    connection = connect(server.database)
    found = connection.execute("SELECT COUNT(*) FROM exchange WHERE state = 'pending'").get
    connection.close()
    if found != stored:
        raise SystemExit(f"{case}: {found} exchanges stored, {stored} accepted")


def report(measured: dict[Case, list[Figures]]) -> None:
    """One line of medians a case, then the medians of the ratios within a round."""
    for case, of_rounds in measured.items():
        figures = Figures(*map(median, zip(*of_rounds, strict=True)))
        print(
            f"{case!s:35}  {figures.accepts_per_second:6,.0f} accepts/s"
            f"  {figures.cpu_ms_per_accept:5.2f} ms CPU an accept"
            f"  p50 {figures.p50_ms:4.0f} ms  p99 {figures.p99_ms:4.0f} ms"
        )
    for extra_us in (0, 1000):
        group, single = measured[Case("group", extra_us)], measured[Case("single", extra_us)]
        print(
            f"group commit, fsync + {extra_us} us: {_ratio(group, measured[NONE]):.2f} of the stack without storage,"
            f" {_ratio(group, single):.1f} x commit per request"
        )
        at_least(
            AIM, "accept", f"durable / without storage, fsync + {extra_us} us", _ratio(group, measured[NONE])
        )


def _ratio(these: list[Figures], those: list[Figures]) -> float:
    return median(a.accepts_per_second / b.accepts_per_second for a, b in zip(these, those, strict=True))


def main() -> int:
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as name, ExitStack() as stack:
        folder = Path(name)
        onboard(folder, approves=19)
        environment = shim.environment(folder)
        servers: dict[Case, tuple[int, int, Path]] = {}
        for case in CASES:
            directory = folder / f"{case.store}-{case.extra_us}"
            shutil.copytree(folder / "fire", directory)
            command = (sys.executable, "-m", "bench.partner", directory, case.store, case.extra_us)
            process = stack.enter_context(running(*map(str, command), env=environment))
            servers[case] = (process.pid, int(process.stdout.readline()), directory)
        report(asyncio.run(rounds(servers, folder / "police")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
