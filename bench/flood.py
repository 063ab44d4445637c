"""Floods from 20 addresses: what 16,000 silent connections cost the server, and 8,000 that have asked, and how long a
burst of wrong log-ons lasts for somebody else.

`uv run python -m bench.flood [--connections N] [--at-rest N] [--log-ons N]`: connections
to both faces of one `acmx serve` that say
nothing, half of them to each; resident memory of that server before, at its highest, and after they have ended. Then
connections on which a body of 200 kB was sent and answered, and which are kept, half of them to each face. Then
wrong log-ons, all at once from one address, and meanwhile one right log-on after the other from another.
"""

import argparse
import asyncio
import resource
import socket
import ssl
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import aiohttp
from bench.processes import Server, serving
from bench.results import at_most
from bench.systems import ACCOUNT, PASSWORD, onboard

from acmx.trust import tls

ADDRESSES = 20
BODY = 200_000
LOOK_S = 0.25
HELD_S = 5.0
BACK_WITHIN_S = 60.0
GUESSER, QUIET = "127.0.1.1", "127.0.1.2"
CREATED, WRONG, REFUSED = 201, 401, 0


class Silence(NamedTuple):
    """Resident memory of the server in MiB."""

    before: float
    highest: float
    after: float


class Burst(NamedTuple):
    """How long a right log-on took, and how long without the burst; how many of the burst were tried before it."""

    took_s: float
    alone_s: float
    before: int
    tried: int
    all_s: float


def silent(server: Server, count: int) -> Iterator[socket.socket]:
    """Each speaks to nobody; where the server ends one, that is all it gets."""
    for n in range(count):
        connection = socket.socket()
        connection.setblocking(False)
        with suppress(OSError):
            connection.bind((f"127.0.0.{2 + n % ADDRESSES}", 0))
        with suppress(BlockingIOError):
            connection.connect(("127.0.0.1", server.ports[n % 2]))
        yield connection


def silence(server: Server, count: int) -> Silence:
    before = highest = server.resident()
    held = []
    for n, connection in enumerate(silent(server, count)):
        held.append(connection)
        if n % 100 == 0:
            time.sleep(0.01)
            highest = max(highest, server.resident())
    end = time.monotonic() + HELD_S
    while time.monotonic() < end:
        highest = max(highest, server.resident())
        time.sleep(LOOK_S)
    for connection in held:
        connection.close()
    time.sleep(BACK_WITHIN_S)
    return Silence(before, highest, server.resident())


async def burst(server: Server, count: int) -> Burst:
    url = f"https://127.0.0.1:{server.ports[0]}/acm1/v1/sessions"
    context = ssl.create_default_context(cafile=server.directory / "tls" / "acm1.pem")
    context.check_hostname = False
    async with session(context, GUESSER) as guessing, session(context, QUIET) as quiet:

        async def log_on(http: aiohttp.ClientSession, account: str, password: str) -> tuple[int, float]:
            began = time.perf_counter()
            try:
                async with http.post(url, json={"account": account, "password": password}) as reply:
                    return reply.status, time.perf_counter() - began
            except aiohttp.ClientError:
                return REFUSED, time.perf_counter() - began

        _, alone = await log_on(quiet, ACCOUNT, PASSWORD)
        began = time.perf_counter()
        guesses = [asyncio.create_task(log_on(guessing, f"nobody.{n}", "wrong")) for n in range(count)]
        await asyncio.sleep(0.5)
        status, took = await log_on(quiet, ACCOUNT, PASSWORD)
        assert status == CREATED, status
        before = sum(guess.done() and guess.result()[0] == WRONG for guess in guesses)
        answers = [status for status, _ in await asyncio.gather(*guesses)]
        return Burst(took, alone, before, answers.count(WRONG), time.perf_counter() - began)


def at_rest(server: Server, partner: Path, count: int) -> Silence:
    """Each has sent a body and read the answer; where the server ends one, that is all it gets."""
    before, held, head = server.resident(), [], b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
    faces = [
        tls.client_context(
            partner / "tls" / "acm2.pem",
            partner / "tls" / "acm2.key",
            [(server.directory / "tls" / f"{face}.pem").read_text()],
        )
        for face in ("acm1", "acm2")
    ]
    for n in range(count):
        connection = socket.create_connection(
            ("127.0.0.1", server.ports[n % 2]), source_address=(f"127.0.0.{2 + n // 2 % ADDRESSES}", 0)
        )
        kept = faces[n % 2].wrap_socket(connection, server_hostname="127.0.0.1")
        kept.sendall(head % BODY + bytes(BODY))
        assert kept.recv(BODY).startswith(b"HTTP/1.1 4")
        held.append(kept)
    highest = server.resident()
    for kept in held:
        kept.close()
    time.sleep(BACK_WITHIN_S)
    return Silence(before, highest, server.resident())


def session(context: ssl.SSLContext, address: str) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(ssl=context, local_addr=(address, 0), limit=0)
    return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=300))


def report(found: Silence, count: int, what: str) -> None:
    print(
        f"{count:,} connections that {what}: resident {found.before:.0f} MiB, {found.highest:.0f} MiB at the highest, "
        f"{found.after:.0f} MiB {BACK_WITHIN_S:.0f} s after their end"
    )
    at_most(400, "flood", f"resident memory while {count:,} connections {what}", found.highest, "MiB")
    at_most(
        50, "flood", "the same a minute after their end, against before", found.after - found.before, "MiB"
    )


def report_burst(found: Burst, count: int) -> None:
    print(
        f"{count:,} wrong log-ons of one address at once, answered in {found.all_s:.1f} s: a right one of another "
        f"took {found.took_s:.2f} s, after {found.before} of {found.tried} trials; without them {found.alone_s:.2f} s",
        flush=True,
    )
    at_most(8, "flood", f"a log-on while {count:,} wrong ones wait / alone", found.took_s / found.alone_s)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=16_000)
    parser.add_argument("--at-rest", type=int, default=8000)
    parser.add_argument("--log-ons", type=int, default=1000)
    asked = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as name:
        onboard(Path(name), approves=0)
        fire = Server(Path(name) / "fire")
        with serving(fire):
            time.sleep(2)
            report(silence(fire, asked.connections), asked.connections, "say nothing")
            resting = at_rest(fire, Path(name) / "police", asked.at_rest)
            report(resting, asked.at_rest, "have sent a body and rest")
            report_burst(asyncio.run(burst(fire, asked.log_ons)), asked.log_ons)
    return 0


if __name__ == "__main__":
    sys.exit(main())
