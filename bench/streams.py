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
import tomllib
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import tomli_w
from bench.connection import request
from bench.processes import Server, serving
from bench.results import at_most
from bench.systems import FIRE, PURPOSE, TOKEN, USERS, onboard
from uuid_utils import uuid7

from acmx.domain.acm1 import Submission
from acmx.faces.proxied import PREAMBLE

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
    """One open stream; `first` it says before all else."""

    def __init__(self, opening: bytes = b"") -> None:
        self._opening = opening
        self.waits: asyncio.Future[float] | None = None
        self.first = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._opening + ASK)

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


async def open_all(server: Server, context: ssl.SSLContext | None, count: int) -> list[Stream]:
    loop, gate = asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE)

    async def one(n: int) -> Stream:
        address = f"127.0.{1 + n // OF_ONE_ADDRESS}.1"
        async with gate:
            place = "127.0.0.1", server.ports[0]
            if context is None:
                _, stream = await loop.create_connection(lambda: Stream(announce(address)), *place)
            else:
                _, stream = await loop.create_connection(
                    Stream, *place, ssl=context, server_hostname="localhost", local_addr=(address, 0)
                )
            await stream.first
        return stream

    return list(await asyncio.gather(*map(one, range(count))))


def announce(address: str) -> bytes:
    """What a proxy says of its client, by the PROXY protocol."""
    places = (
        ip_address(address).packed + ip_address("127.0.0.1").packed + (4711).to_bytes(2) + (8441).to_bytes(2)
    )
    return PREAMBLE + b"\x21\x11" + len(places).to_bytes(2) + places


def behind_a_proxy(directory: Path) -> None:
    path = directory / "config.toml"
    given = tomllib.loads(path.read_text())
    given["acm1"] |= {"proxies": ["127.0.0.1"], "tls": False}
    path.write_text(tomli_w.dumps(given))


async def measure(asking: Server, server: Server, count: int, *, proxied: bool) -> Figures:
    context = None if proxied else ssl.create_default_context(cafile=server.directory / "tls" / "acm1.pem")
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


def report(figures: Figures, count: int, *, proxied: bool) -> None:
    each = (figures.after_mib - figures.before_mib) * 1024 / count
    way = "behind a proxy" if proxied else "over TLS"
    print(f"{count:,} streams {way}, opened in {figures.opened_s:.1f} s")
    print(f"resident {figures.before_mib:.0f} -> {figures.after_mib:.0f} MiB: {each:.1f} KiB a stream")
    print(f"idle: {figures.beat_cpu * 100:.1f} % of a core")
    print(
        f"a notice reached half of them in {figures.half_s:.2f} s, all in {figures.all_s:.2f} s", flush=True
    )
    at_most(16 if proxied else 48, "streams", f"memory of an idle stream of {count:,}, {way}", each, "KiB")
    at_most(2, "streams", f"a notice has reached them all, {way}", figures.all_s, "s")


def run(folder: Path, count: int, *, proxied: bool) -> None:
    onboard(folder, approves=0)
    if proxied:
        behind_a_proxy(folder / "fire")
    police, fire = Server(folder / "police"), Server(folder / "fire")
    with serving(police, fire):
        time.sleep(2)
        report(asyncio.run(measure(police, fire, count, proxied=proxied)), count, proxied=proxied)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=10_000)
    count = parser.parse_args().streams
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as name:
        for proxied in (False, True):
            run(Path(name, str(proxied)), count, proxied=proxied)
    return 0


if __name__ == "__main__":
    sys.exit(main())
