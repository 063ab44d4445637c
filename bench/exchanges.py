"""Automatic exchanges end to end through two server processes, 1, 16 and 64 in flight.

`uv run python -m bench.exchanges`: `acmx serve` twice, mutual TLS between them; requests of 20 users are submitted
through ACM-1 of the police, the fire service's policy approves each at once, and an exchange has taken from the
submission until this process knows that it is `answered`. It learns that as an ACM client does: one notification
stream says "look again", then the list of answered exchanges is read, at most every 5 ms and for all that are in
flight at once. The load comes from this process, on the same cores; its looks are in the CPU time of the police.
"""

import asyncio
import json
import ssl
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

import msgspec
from bench.connection import Connection, request
from bench.processes import cpu_seconds, running, wait_for
from bench.results import keep
from bench.systems import FIRE, PURPOSE, TOKEN, USERS, onboard
from uuid_utils import uuid7

from acmx import config
from acmx.domain.acm1 import Accepted, Page

IN_FLIGHT = (1, 16, 64)
ROUNDS = 4
ROUND_SECONDS = 3.0
ROUND_EXCHANGES = 2000
LOOK_AGAIN = 0.005
PATIENCE = 30.0
AUTHORISED = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
SUBMISSION = json.dumps(
    {
        "kind": "server-identity",
        "partner": FIRE,
        "users": USERS,
        "purpose": PURPOSE,
        "reference": "agreement 17",
    }
).encode()


class Figures(NamedTuple):
    """What one round gave; CPU in milliseconds an exchange."""

    exchanges_per_second: float
    p50_ms: float
    p99_ms: float
    police_cpu_ms: float
    fire_cpu_ms: float


class Answers:
    """Tells whoever waits for an exchange that it is answered."""

    def __init__(self, stream: Connection, looks: Connection) -> None:
        self._stream = stream
        self._looks = looks
        self._hint = asyncio.Event()
        self._wanted = asyncio.Event()
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._look())]

    async def of(self, id_: str) -> None:
        self._waiting[id_] = asyncio.get_running_loop().create_future()
        self._wanted.set()
        async with asyncio.timeout(PATIENCE):
            await self._waiting[id_]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._looks.close()
        self._stream.close()

    async def _listen(self) -> None:
        async for _ in self._stream.events(request("GET", "/acm1/v1/notifications", AUTHORISED)):
            self._hint.set()

    async def _look(self) -> None:
        while True:
            await self._wanted.wait()
            await self._hint.wait()
            self._hint.clear()
            await self._read_list()
            await asyncio.sleep(LOOK_AGAIN)

    async def _read_list(self) -> None:
        """The newest answered exchanges, back to the oldest that is waited for: ids grow with time."""
        oldest, limit, after = min(self._waiting), len(self._waiting), ""
        while True:
            path = f"/acm1/v1/requests?state=answered&limit={limit}{after}"
            reply = await self._looks.call(request("GET", path, AUTHORISED))
            page = msgspec.json.decode(reply.body, type=Page)
            for item in page.items:
                if answered := self._waiting.pop(item.id, None):
                    answered.set_result(None)
            if not self._waiting:
                self._wanted.clear()
            if page.next is None or page.items[-1].id <= oldest:
                return
            after = f"&after={page.next}"


class Systems(NamedTuple):
    """The two servers' process ids, the police's ACM-1 port and a context that trusts it."""

    police: int
    fire: int
    port: int
    context: ssl.SSLContext


async def measure(systems: Systems, connections: list[Connection], answers: Answers) -> Figures:
    """One round: each connection carries exchange after exchange until the time is up."""
    took: list[float] = []
    end = time.perf_counter() + ROUND_SECONDS

    async def exchange_after_exchange(connection: Connection) -> None:
        while time.perf_counter() < end and len(took) < ROUND_EXCHANGES:
            begun = time.perf_counter()
            headers = {**AUTHORISED, "Idempotency-Key": str(uuid7())}
            reply = await connection.call(request("POST", "/acm1/v1/requests", headers, SUBMISSION))
            if reply.status != 201:
                raise SystemExit(f"refused: {reply.status} {reply.body.decode()}")
            await answers.of(msgspec.json.decode(reply.body, type=Accepted).id)
            took.append(time.perf_counter() - begun)

    before, started = _cpu(systems), time.perf_counter()
    await asyncio.gather(*map(exchange_after_exchange, connections))
    seconds = time.perf_counter() - started
    police, fire = (now - then for now, then in zip(_cpu(systems), before, strict=True))
    took.sort()
    return Figures(
        len(took) / seconds,
        took[len(took) // 2] * 1000,
        took[len(took) * 99 // 100] * 1000,
        police * 1000 / len(took),
        fire * 1000 / len(took),
    )


def _cpu(systems: Systems) -> tuple[float, float]:
    return cpu_seconds(systems.police), cpu_seconds(systems.fire)


async def rounds(systems: Systems, in_flight: tuple[int, ...] = IN_FLIGHT) -> dict[int, Figures]:
    """Each number in flight in turn, ROUNDS times; the medians."""
    connections = [await _connect(systems) for _ in range(max(in_flight))]
    answers = Answers(await _connect(systems), await _connect(systems))
    measured: dict[int, list[Figures]] = {number: [] for number in in_flight}
    for turn in range(ROUNDS + 1):
        for number, figures in measured.items():
            got = await measure(systems, connections[:number], answers)
            if turn > 0:  # the first warms up
                figures.append(got)
    await answers.close()
    for connection in connections:
        connection.close()
    return {number: Figures(*map(median, zip(*figures, strict=True))) for number, figures in measured.items()}


async def _connect(systems: Systems) -> Connection:
    return await Connection.open(systems.port, systems.context)


def report(medians: dict[int, Figures]) -> None:
    """One line for each number in flight, then the ratios."""
    for number, figures in medians.items():
        print(
            f"{number:2} in flight  {figures.exchanges_per_second:6,.0f} exchanges/s"
            f"  p50 {figures.p50_ms:4.0f} ms  p99 {figures.p99_ms:4.0f} ms"
            f"  CPU an exchange: {figures.police_cpu_ms:.2f} ms police, {figures.fire_cpu_ms:.2f} ms fire"
        )
        keep("exchanges", f"{number} in flight", figures.exchanges_per_second, "a second")
    alone = medians[1].exchanges_per_second
    for number in IN_FLIGHT[1:]:
        print(f"{number} in flight / 1: {medians[number].exchanges_per_second / alone:.1f} x exchanges/s")


def acm1_port(directory: Path) -> int:
    """Once it is listened on."""
    _, port = config.endpoint(config.read(directory / "config.toml").acm1.listen)
    wait_for(port)
    return port


def main() -> int:
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as name, ExitStack() as stack:
        folder = Path(name)
        onboard(folder, approves=20)
        acmx = str(Path(sys.executable).with_name("acmx"))
        directories = folder / "police", folder / "fire"
        police, fire = (stack.enter_context(running(acmx, "serve", str(d))) for d in directories)
        port, _ = (acm1_port(directory) for directory in directories)
        context = ssl.create_default_context(cafile=folder / "police" / "tls" / "acm1.pem")
        report(asyncio.run(rounds(Systems(police.pid, fire.pid, port, context))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
