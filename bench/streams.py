"""Ten thousand people look on: what an idle notification stream costs the server, and how soon all are told.

`uv run python -m bench.streams [--streams N]`: N kept TLS connections from this process to one `acmx serve`; each has
asked for notifications, from many loopback addresses, as many people have theirs. Resident memory of that server
is read before and after; then its partner sends a request that concerns them all, and each waits for its «look again».
"""

import argparse
import asyncio
import resource
import ssl
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from bench.connection import request
from bench.processes import Server
from bench.results import at_most
from bench.systems import FIRE, PURPOSE, TOKEN, USERS, onboard
from uuid_utils import uuid7

from acmx.domain.acm1 import Submission

AT_ONCE = 64
OF_ONE_ADDRESS = 500
SETTLED_S = 20
"""Longer than a heartbeat."""

PATIENCE_S = 60.0
LOOK = b"event: look-again"
ASK = request("GET", "/acm1/v1/notifications", {"Authorization": f"Bearer {TOKEN}"})


class Figures(NamedTuple):
    """Resident memory of the server without and with the streams; seconds until half and until all were told."""

    before_mib: float
    after_mib: float
    opened_s: float
    half_s: float
    all_s: float
    beat_cpu: float


class Stream(asyncio.Protocol):
    """One open stream: how often it was told to look again."""

    def __init__(self) -> None:
        self.told = 0
        self.waits: asyncio.Future[float] | None = None
        self.first = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(ASK)

    def data_received(self, data: bytes) -> None:
        if LOOK in data:
            if not self.first.done():
                self.first.set_result(None)
            elif self.waits is not None and not self.waits.done():
                self.waits.set_result(time.perf_counter())

    def connection_lost(self, exc: Exception | None) -> None:
        for future in (self.first, self.waits):
            if future is not None and not future.done():
                future.set_exception(exc or ConnectionResetError("the server ended a stream"))


async def open_all(server: Server, context: ssl.SSLContext, count: int) -> list[Stream]:
    loop, gate = asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE)

    async def one(n: int) -> Stream:
        own = f"127.0.{1 + n // OF_ONE_ADDRESS}.1"
        async with gate:
            _, stream = await loop.create_connection(
                Stream,
                "127.0.0.1",
                server.ports[0],
                ssl=context,
                server_hostname="localhost",
                local_addr=(own, 0),
            )
            await stream.first
        return stream

    return list(await asyncio.gather(*map(one, range(count))))


async def measure(asking: Server, server: Server, count: int) -> Figures:
    context = ssl.create_default_context(cafile=server.directory / "tls" / "acm1.pem")
    before, began = server.resident(), time.perf_counter()
    streams = await open_all(server, context, count)
    opened = time.perf_counter() - began
    cpu = server.cpu_seconds()
    await asyncio.sleep(SETTLED_S)
    beat_cpu, after = (server.cpu_seconds() - cpu) / SETTLED_S, server.resident()
    loop = asyncio.get_running_loop()
    for stream in streams:
        stream.waits = loop.create_future()
    asked = time.perf_counter()
    await asyncio.to_thread(_submit, asking)
    async with asyncio.timeout(PATIENCE_S):
        told = sorted(await asyncio.gather(*(stream.waits for stream in streams if stream.waits)))
    return Figures(before, after, opened, told[len(told) // 2] - asked, told[-1] - asked, beat_cpu)


def _submit(asking: Server) -> None:
    """It waits for a decision at the partner, where everybody who looks on may take it."""
    with asking.client() as client:
        client.submit(
            Submission(kind="server-identity", partner=FIRE, users=USERS, purpose=PURPOSE), str(uuid7())
        )


def report(figures: Figures, count: int) -> None:
    each = (figures.after_mib - figures.before_mib) * 1024 / count
    print(f"{count:,} streams opened in {figures.opened_s:.1f} s")
    print(f"resident {figures.before_mib:.0f} -> {figures.after_mib:.0f} MiB: {each:.1f} KiB a stream")
    print(f"idle: {figures.beat_cpu * 100:.1f} % of a core")
    at_most(48, "streams", f"memory of an idle stream of {count:,}", each, "KiB")
    at_most(2, "streams", "a notice has reached them all", figures.all_s, "s")
    print(f"a notice reached half of them in {figures.half_s:.2f} s, all in {figures.all_s:.2f} s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=10_000)
    count = parser.parse_args().streams
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as name:
        folder = Path(name)
        onboard(folder, approves=0)
        police, fire = Server(folder / "police"), Server(folder / "fire")
        with ExitStack() as stack:
            for server in (police, fire):
                server.start()
                stack.callback(server.stop)
            police.listening()
            fire.listening()
            time.sleep(2)
            report(asyncio.run(measure(police, fire, count)), count)
    return 0


if __name__ == "__main__":
    sys.exit(main())
