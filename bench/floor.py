"""What a whole automatic exchange costs over both servers, against the sum of what it cannot do without.

`uv run python -m bench.floor`: exchanges as in `bench.exchanges`, 16 in flight, and in turn with them each part alone:
the TLS requests that are served and made, reading and writing JSON, a signature made and one checked for each signed
body, and the rows that both databases hold for an exchange, inserted 16 exchanges to a transaction. Processor time.
"""

import asyncio
import ssl
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median

import aiohttp
import apsw
import msgspec
from bench.bare import ANSWER
from bench.connection import Connection, request
from bench.exchanges import SUBMISSION, Answers, Systems, acm1_port, measure
from bench.processes import cpu_seconds, running
from bench.results import at_most
from bench.systems import FIRE, POLICE, onboard

from acmx import config
from acmx.bootstrap.own import own
from acmx.domain.acm1 import Submission
from acmx.domain.messages import Receipt, Request, Response
from acmx.storage.engines.sqlite_connection import connect
from acmx.trust import tls
from acmx.trust.signatures import verify

IN_FLIGHT = 16
REQUESTS = 4000
TIMES = 2000
ROUNDS = 7
AIM = 2.5
OF_EXCHANGE = ("exchange", "message", "journal", "noted", "notice", "idempotency")
SERVED, MADE = 4, 2
"""TLS requests of an exchange: submission, a look at the list, and a message each way; the messages are made, too."""

SIGNED = 4
"""Two messages and their receipts."""


def bodies(fire: Path) -> tuple[bytes, bytes, bytes, bytes]:
    """Request, its receipt, response and its receipt, of the last exchange."""
    with closing(connect(fire / "acmx.db")) as connection:
        rows = connection.execute(
            "SELECT type, body, reply FROM message WHERE reply IS NOT NULL ORDER BY rowid DESC LIMIT 100"
        ).fetchall()
    found = {type_: (bytes(body), bytes(reply)) for type_, body, reply in rows}
    return *found["request"], *found["response"]


async def served(folder: Path, port: int, pid: int, body: bytes) -> float:
    """CPU in milliseconds of a request at the server that answers it."""
    context = _context(folder)
    connections = [await Connection.open(port, context) for _ in range(IN_FLIGHT)]
    asked = request("PUT", "/acm2/v1/exchanges", {"Content-Type": "application/json"}, body)

    async def ask(connection: Connection, times: int) -> None:
        for _ in range(times):
            await connection.call(asked)

    await asyncio.gather(*(ask(connection, 20) for connection in connections))
    before = cpu_seconds(pid)
    await asyncio.gather(*(ask(connection, REQUESTS // IN_FLIGHT) for connection in connections))
    spent = cpu_seconds(pid) - before
    for connection in connections:
        connection.close()
    return spent * 1000 / REQUESTS


async def made(folder: Path, port: int, body: bytes) -> float:
    """CPU in milliseconds of a request at the client that makes it."""
    connector = aiohttp.TCPConnector(ssl=_context(folder), limit=IN_FLIGHT)
    async with aiohttp.ClientSession(f"https://localhost:{port}", connector=connector) as session:

        async def ask(times: int) -> None:
            for _ in range(times):
                async with session.put("/acm2/v1/exchanges", data=body) as reply:
                    if len(await reply.read()) != len(ANSWER):
                        raise SystemExit("another answer")

        await asyncio.gather(*(ask(20) for _ in range(IN_FLIGHT)))
        before = time.process_time()
        await asyncio.gather(*(ask(REQUESTS // IN_FLIGHT) for _ in range(IN_FLIGHT)))
        return (time.process_time() - before) * 1000 / REQUESTS


def _context(folder: Path) -> ssl.SSLContext:
    theirs = (folder / "fire" / "tls" / "acm2.pem").read_text()
    return tls.client_context(
        folder / "fire" / "tls" / "acm2.pem", folder / "fire" / "tls" / "acm2.key", [theirs]
    )


def signatures(folder: Path, body: bytes) -> float:
    """CPU in milliseconds of a signature made and checked."""
    police = own(folder / "police", config.read(folder / "police" / "config.toml"))
    keys, now = police.verify_keys, int(time.time())

    def once() -> None:
        seal = police.sign(body, to=FIRE, typ="acm-message", now=now, exchange="bench", n=1)
        verify(seal, body, keys, iss=POLICE, aud=FIRE, typ="acm-message", exchange="bench", n=1, now=now)

    return _each(once)


def json(all_: tuple[bytes, bytes, bytes, bytes]) -> float:
    """CPU in milliseconds to read and to write what an exchange carries, each body once."""
    kinds = (Request, Receipt, Response, Receipt, Submission)

    def once() -> None:
        for body, kind in zip((*all_, SUBMISSION), kinds, strict=True):
            msgspec.json.encode(msgspec.json.decode(body, type=kind))

    return _each(once)


def inserts(folder: Path, scratch: Path) -> float:
    """CPU in milliseconds to insert what both systems hold of an exchange, into tables with the same indexes."""
    return sum(
        _inserts(folder / system / "acmx.db", scratch / f"{system}.db") for system in ("police", "fire")
    )


def _inserts(source: Path, target: Path) -> float:
    target.touch()
    with closing(connect(source)) as held, closing(connect(target)) as fresh:
        in_order = held.execute(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND tbl_name IN "
            f"({', '.join('?' * len(OF_EXCHANGE))}) ORDER BY type DESC",
            OF_EXCHANGE,
        ).fetchall()
        for (sql,) in in_order:
            fresh.execute(sql)
        exchanges = held.execute("SELECT COUNT(*) FROM exchange").get
        rows = {table: held.execute(f"SELECT * FROM {table}").fetchall() for table in OF_EXCHANGE}
        before = time.process_time()
        _in_batches(fresh, rows, exchanges)
        return (time.process_time() - before) * 1000 / exchanges


def _in_batches(fresh: apsw.Connection, rows: dict[str, list[tuple[object, ...]]], exchanges: int) -> None:
    batches = max(exchanges // IN_FLIGHT, 1)
    for n in range(batches):
        fresh.execute("BEGIN IMMEDIATE")
        for table, all_ in rows.items():
            if part := all_[len(all_) * n // batches : len(all_) * (n + 1) // batches]:
                marks = ", ".join("?" * len(part[0]))
                fresh.executemany(f"INSERT INTO {table} VALUES ({marks})", part)
        fresh.execute("COMMIT")


def _each(once: Callable[[], None]) -> float:
    for _ in range(TIMES // 10):
        once()
    before = time.process_time()
    for _ in range(TIMES):
        once()
    return (time.process_time() - before) * 1000 / TIMES


async def parts(folder: Path, scratch: Path, bare: int, port: int) -> dict[str, float]:
    """CPU in milliseconds of each part of an exchange. `bare`: the process that listens on `port`."""
    all_ = bodies(folder / "fire")
    return {
        f"{SERVED} TLS requests served": SERVED * await served(folder, port, bare, all_[2]),
        f"{MADE} TLS requests made": MADE * await made(folder, port, all_[2]),
        f"{SIGNED} signatures made and checked": SIGNED * signatures(folder, all_[2]),
        "JSON read and written": json(all_),
        "rows inserted": inserts(folder, scratch),
    }


async def in_turn(
    folder: Path, systems: Systems, bare: int, port: int
) -> list[tuple[float, dict[str, float]]]:
    """Exchanges, then the parts, again and again: the machine is as fast for both."""
    connections = [await Connection.open(systems.port, systems.context) for _ in range(IN_FLIGHT)]
    answers = Answers(*[await Connection.open(systems.port, systems.context) for _ in range(2)])
    found = []
    for turn in range(ROUNDS + 1):
        figures = await measure(systems, connections, answers)
        scratch = folder / str(turn)
        scratch.mkdir()
        alone = await parts(folder, scratch, bare, port)
        if turn > 0:  # the first warms up
            found.append((figures.police_cpu_ms + figures.fire_cpu_ms, alone))
    await answers.close()
    for connection in connections:
        connection.close()
    return found


def report(found: list[tuple[float, dict[str, float]]]) -> None:
    for part in found[0][1]:
        print(f"{part:32} {median(alone[part] for _, alone in found):6.3f} ms")
    whole = median(whole for whole, _ in found)
    ratio = median(whole / sum(alone.values()) for whole, alone in found)
    print(f"{'together':32} {median(sum(alone.values()) for _, alone in found):6.3f} ms")
    print(f"{'an exchange, both servers':32} {whole:6.3f} ms: {ratio:.2f} x")
    at_most(AIM, "floor", "CPU of a whole exchange / sum of its parts", ratio)


def main() -> int:
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as name, ExitStack() as stack:
        folder = Path(name)
        onboard(folder, approves=20)
        acmx = str(Path(sys.executable).with_name("acmx"))
        directories = folder / "police", folder / "fire"
        police, fire = (stack.enter_context(running(acmx, "serve", str(d))) for d in directories)
        port, _ = (acm1_port(directory) for directory in directories)
        bare = stack.enter_context(running(sys.executable, "-m", "bench.bare", str(folder / "fire")))
        listened_on = int(bare.stdout.readline() if bare.stdout else 0)
        context = ssl.create_default_context(cafile=folder / "police" / "tls" / "acm1.pem")
        systems = Systems(police.pid, fire.pid, port, context)
        report(asyncio.run(in_turn(folder, systems, bare.pid, listened_on)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
