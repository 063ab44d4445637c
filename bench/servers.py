"""Two servers of one system on one PostgreSQL database, against one: durable accepts at ACM-2.

`uv run python -m bench.servers [--database URL]`: 64 kept connections with mutual TLS, each with one request of 20
users under way, to one server or half of them to each of two. Load, servers and, without `--database`, PostgreSQL
share the same cores: what two servers could gain is what one leaves idle while it waits. The cases take turns.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from statistics import median
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import psycopg
from bench.accept import IN_FLIGHT, ROUND_MESSAGES, messages
from bench.connection import Connection
from bench.neighbours import another, database
from bench.processes import Server, serving
from bench.results import at_least
from bench.systems import FIRE, onboard

from acmx import config
from acmx.bootstrap.own import own
from acmx.trust import tls

ROUNDS = 11
ROUND_SECONDS = 1.0
AIM = 1.0
OK = 200


class Figures(NamedTuple):
    """Of one round; CPU in milliseconds an accept, over the servers."""

    accepts_per_second: float
    cpu_ms: float


class Case(NamedTuple):
    """The servers of the fire service, the police that send to them, and the connections between."""

    servers: list[Server]
    police: Path
    connections: list[Connection]


async def measure(case: Case, ready: list[bytes]) -> Figures:
    """One round: each connection sends message after message until the time is up."""
    waiting, done = iter(ready), 0
    end = time.perf_counter() + ROUND_SECONDS

    async def send(connection: Connection) -> None:
        nonlocal done
        for message in waiting:
            reply = await connection.call(message)
            if reply.status != OK:
                raise SystemExit(f"refused: {reply.status} {reply.body.decode()}")
            done += 1
            if time.perf_counter() > end:
                return

    cpu, began = sum(server.cpu_seconds() for server in case.servers), time.perf_counter()
    await asyncio.gather(*map(send, case.connections))
    seconds = time.perf_counter() - began
    spent = sum(server.cpu_seconds() for server in case.servers) - cpu
    return Figures(done / seconds, spent * 1000 / done)


async def rounds(cases: dict[int, tuple[list[Server], Path]]) -> dict[int, list[Figures]]:
    """Each case in turn; the first round warms up."""
    opened = {count: Case(*case, await _connect(*case)) for count, case in cases.items()}
    signed = {
        count: messages(own(case.police, config.read(case.police / "config.toml")))
        for count, case in opened.items()
    }
    found: dict[int, list[Figures]] = {count: [] for count in cases}
    for number in range(ROUNDS + 1):
        for count in sorted(cases, reverse=bool(number % 2)):
            figures = await measure(opened[count], list(islice(signed[count], ROUND_MESSAGES)))
            if number > 0:
                found[count].append(figures)
    for case in opened.values():
        for connection in case.connections:
            connection.close()
    return found


async def _connect(servers: list[Server], police: Path) -> list[Connection]:
    ours = police / "tls" / "acm2.pem"
    theirs = (servers[0].directory / "tls" / "acm2.pem").read_text()
    context = tls.client_context(ours, police / "tls" / "acm2.key", [theirs])
    return [await Connection.open(servers[n % len(servers)].ports[1], context) for n in range(IN_FLIGHT)]


def prepare(folder: Path, url: str, count: int) -> tuple[list[Server], Path]:
    """So many servers of the fire service on a new database."""
    name = f"acmx_bench_{count}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    onboard(folder, approves=19, databases={FIRE: urlunsplit(urlsplit(url)._replace(path=f"/{name}"))})
    others = [another(folder / "fire", folder / f"fire-{n}") for n in range(1, count)]
    return [Server(directory) for directory in (folder / "fire", *others)], folder / "police"


def report(found: dict[int, list[Figures]]) -> None:
    for count, figures in found.items():
        rate, cpu_ms = (median(values) for values in zip(*figures, strict=True))
        print(f"{count} server(s): {rate:,.0f} accepts/s, {cpu_ms:.2f} ms CPU an accept at the servers")
    ratio = median(
        two.accepts_per_second / one.accepts_per_second for one, two in zip(*found.values(), strict=True)
    )
    print(f"two against one: {ratio:.2f} (aim {AIM:g}, 1.4 where cores allow)")
    at_least(AIM, "servers", "PostgreSQL, accepts of 2 servers / of 1", ratio)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", help="postgresql://..., whose user may create databases")
    given = parser.parse_args().database
    with tempfile.TemporaryDirectory(prefix="acmx-servers-") as name, ExitStack() as stack:
        url = stack.enter_context(database(given, Path(name)))
        cases = {count: prepare(Path(name, str(count)), url, count) for count in (1, 2)}
        running = [server for servers, _ in cases.values() for server in servers]
        with serving(*running):
            report(asyncio.run(rounds(cases)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
