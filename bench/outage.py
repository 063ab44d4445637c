"""The partner is away while messages wait, then it returns.

`uv run python -m bench.outage [--messages 100000]`: two `acmx serve` processes with the shipped settings. The primary's
outbox is filled through the flow that a submission takes, while no server runs. Measured at the primary:

- the steady rate: how fast a queue of 3,000 is delivered to a partner that is there, before and after the drain;
- a restart: the primary runs with everything waiting and the partner away; then the partner starts, and greets.
  From the moment when it listens to the first delivery, the rate until nothing waits, and resident memory
  with nothing waiting before, with all waiting, and at its highest while they were delivered;
- a healed link: the partner is there again, but its greeting does not arrive (its pinned address of the primary leads
  nowhere), after an absence long enough for the back-off to have grown to its longest.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import msgspec
from bench.agreement import states, waiting
from bench.processes import Server, until
from bench.results import at_least, at_most
from bench.systems import FIRE, POLICE, PURPOSE, USERS, give_up, onboard, partner_of

from acmx import config
from acmx.domain.acm1 import Submission
from acmx.flows.exchange import submit
from acmx.flows.house import House
from acmx.storage.engine import Tx
from acmx.storage.engines.sqlite import SqliteStore
from acmx.storage.partnership import partners
from acmx.trust.roles import ROLES, Caller

STEADY = 3_000
HEALED = 100
A_TIME = 1_000
AWAY_S = 15.0
BACKED_OFF_S = 40.0
LOOK_S = 0.5
PATIENCE_S = 600.0
MIB = 50
SUBMISSION = Submission(
    kind="server-identity", partner=FIRE, users=USERS, purpose=PURPOSE, reference="agreement 17"
)


class Drained(NamedTuple):
    """How the queue became empty: messages a second; of the primary, CPU a message in ms and most memory in MiB."""

    rate: float
    cpu_ms: float
    resident: float


async def fill(directory: Path, number: int) -> None:
    """Submit so many requests in the directory of a primary that does not run."""
    given = config.read(directory / "config.toml")
    house = House(given.system, given.realms, lambda: datetime.now(UTC))
    caller = Caller("admin", f"sip:admin@{POLICE}", (), tuple(ROLES), 0)
    store = SqliteStore.open(directory / "acmx.db", on_fatal=give_up)
    run = time.time_ns()

    def prepare(tx: Tx, keys: range) -> list[submit.Plan]:
        return [submit.prepare(house, tx, caller, f"{run} {key}", SUBMISSION) for key in keys]

    def apply(tx: Tx, plans: list[submit.Plan]) -> None:
        for plan in plans:
            submit.apply(tx, plan)

    for first in range(0, number, A_TIME):
        keys = range(first, min(first + A_TIME, number))
        plans = await store.read(partial(prepare, keys=keys))
        await store.write(partial(apply, plans=plans))
    await store.close()


async def mislead(fire: Path, police: Path) -> None:
    """Pin an address of the police at which nobody listens."""
    elsewhere = police.with_name("elsewhere")
    shutil.copytree(police, elsewhere, ignore=shutil.ignore_patterns("acmx.db*"))
    given = config.read(elsewhere / "config.toml")
    (elsewhere / "config.toml").unlink()
    nowhere = msgspec.structs.replace(given.acm2, address="https://127.0.0.1:1")
    config.write(elsewhere / "config.toml", msgspec.structs.replace(given, acm2=nowhere))
    store = SqliteStore.open(fire / "acmx.db", on_fatal=give_up)
    await store.write(lambda tx: partners.replace(tx, partner_of(elsewhere)))
    await store.close()


def drained(police: Server) -> Drained:
    """Wait until nothing waits."""
    cpu = police.cpu_seconds()
    samples = list(_samples(police))
    (begun, first, _), (ended, last, _) = samples[0], samples[-1]
    return Drained(
        (first - last) / (ended - begun),
        (police.cpu_seconds() - cpu) * 1000 / (first - last),
        max(resident for _, _, resident in samples),
    )


def _samples(police: Server) -> Iterator[tuple[float, int, float]]:
    while True:
        waits = waiting(police.directory)
        yield time.monotonic(), waits, police.resident()
        if not waits:
            return
        time.sleep(min(LOOK_S, waits / 5_000))


def first_delivery(police: Server, fire: Server) -> float:
    """Start the fire service; seconds from the moment it listens until it has acknowledged a message."""
    before = waiting(police.directory)
    fire.start()
    fire.listening()
    begun = time.monotonic()
    until(lambda: waiting(police.directory) != before, within=PATIENCE_S)
    return time.monotonic() - begun


def measure(folder: Path, number: int) -> None:
    onboard(folder, approves=0)
    police, fire = Server(folder / "police"), Server(folder / "fire")
    with ExitStack() as stack:
        for server in (police, fire):
            stack.callback(server.kill)
        steady, before = _steady(police, fire)
        drain = _restart(police, fire, number, before)
        again, _ = _steady(police, fire)
        _report(number, drain, steady, again)
        _healed(police, fire)
    lost = set(states(police.directory)) ^ set(states(fire.directory))
    if lost:
        raise SystemExit(f"{len(lost)} exchanges are not on both sides")


def _steady(police: Server, fire: Server) -> tuple[Drained, float]:
    asyncio.run(fill(police.directory, STEADY))
    for server in (fire, police):
        server.start()
        server.listening()
    steady = drained(police)
    resident = police.resident()
    for server in (police, fire):
        server.stop()
    return steady, resident


def _restart(police: Server, fire: Server, number: int, before: float) -> Drained:
    asyncio.run(fill(police.directory, number))
    police.start()
    police.listening()
    time.sleep(AWAY_S)
    during = police.resident()
    first = first_delivery(police, fire)
    drain = drained(police)
    after = police.resident()
    at_most(5, "outage", "first delivery after a restart of the partner", first, "s")
    at_most(MIB, "outage", "memory while messages wait", max(during, drain.resident) - before, "MiB")
    print(f"restart: first delivery after {first:.1f} s (aim 5)")
    print(
        f"resident memory: {before:.0f} MiB before, {during:.0f} with all waiting, {drain.resident:.0f} at most while "
        f"they were delivered, {after:.0f} after: {max(during, drain.resident) - before:+.0f} (aim below {MIB})",
        flush=True,
    )
    for server in (police, fire):
        server.stop()
    return drain


def _report(number: int, drain: Drained, *steady: Drained) -> None:
    rate, cpu_ms = (mean(getattr(each, name) for each in steady) for name in ("rate", "cpu_ms"))
    before, after = (f"{each.rate:,.0f}" for each in steady)
    print(f"steady: {before} messages/s before, {after} after; {cpu_ms:.2f} ms CPU a message at the primary")
    at_least(0.8, "outage", f"drain of {number:,} messages / steady rate", drain.rate / rate)
    print(
        f"drain: {number:,} messages, {drain.rate:,.0f}/s: {drain.rate / rate:.2f} of the steady rate (aim 0.8); "
        f"{drain.cpu_ms:.2f} ms CPU a message",
        flush=True,
    )


def _healed(police: Server, fire: Server) -> None:
    asyncio.run(fill(police.directory, HEALED))
    asyncio.run(mislead(fire.directory, police.directory))
    police.start()
    time.sleep(BACKED_OFF_S)
    first = first_delivery(police, fire)
    at_most(35, "outage", "first delivery over a healed link", first, "s")
    print(f"healed link: first delivery after {first:.1f} s (aim 35)", flush=True)
    drained(police)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.outage")
    parser.add_argument("--messages", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        measure(Path(folder), asked.messages)
    return 0


if __name__ == "__main__":
    sys.exit(main())
