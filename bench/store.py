"""The store alone: group commit against a commit for each plan, at the disk's own fsync and 1 ms slower.

`uv run python -m bench.store`: 64 writers, each with one plan waiting; a plan inserts about 1.5 kB into three
tables. All cases run in turn, several rounds in one process; the medians and their ratios are printed.
"""

import asyncio
import ctypes
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import shim
from bench.results import at_least
from bench.systems import give_up

from acmx.storage.engine import Tx
from acmx.storage.engines.sqlite import SqliteStore
from acmx.storage.migrations import Migration

AIM = 5
WRITERS = 64
ROUNDS = 5
ROUND_SECONDS = 1.0

SCHEMA = Migration(
    1,
    """
    CREATE TABLE exchange (
        primary_system TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL, version INTEGER NOT NULL,
        asker TEXT NOT NULL, users INTEGER NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
        PRIMARY KEY (primary_system, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX exchange_by_state ON exchange (state, expires_at);
    CREATE TABLE message (
        primary_system TEXT NOT NULL, id TEXT NOT NULL, sender TEXT NOT NULL, n INTEGER NOT NULL,
        digest BLOB NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (primary_system, id, sender, n)
    ) STRICT;
    CREATE TABLE journal (
        serial INTEGER PRIMARY KEY, at INTEGER NOT NULL, event TEXT NOT NULL, actor TEXT NOT NULL,
        primary_system TEXT NOT NULL, id TEXT NOT NULL, digest BLOB NOT NULL
    ) STRICT;
    """,
)


class Case(NamedTuple):
    """What is measured: how many plans may share a commit, and how much longer an fsync takes."""

    batch: int
    extra_us: int

    def __str__(self) -> str:
        commit = "group commit" if self.batch > 1 else "commit per plan"
        fsync = f"fsync + {self.extra_us} us" if self.extra_us else "the disk's own fsync"
        return f"{commit:15}  {fsync:21}"


class Figures(NamedTuple):
    """What one round of a case gave."""

    plans_per_second: float
    cpu_us_per_plan: float
    plans_per_fsync: float


def plan(serial: int) -> Callable[[Tx], None]:
    """Insert one exchange, its message and its journal row."""
    key = {"primary": "mc.met-police.example", "id": f"0198f0c4-7a00-7000-8000-{serial:012x}"}
    digest = serial.to_bytes(32, "big")
    body = digest * 36

    def act(tx: Tx) -> None:
        tx.execute(
            "INSERT INTO exchange VALUES (:primary, :id, 'queued', 1, :asker, 20, :now, :now + 2592000)",
            {**key, "asker": "sip:control@ims.mnc001.mcc234.3gppnetwork.org", "now": serial},
        )
        tx.execute(
            "INSERT INTO message VALUES (:primary, :id, 'primary', 1, :digest, :body)",
            {**key, "digest": digest, "body": body},
        )
        tx.execute(
            "INSERT INTO journal VALUES (NULL, :now, 'submitted', :actor, :primary, :id, :digest)",
            {
                **key,
                "now": serial,
                "actor": "sip:control@ims.mnc001.mcc234.3gppnetwork.org",
                "digest": digest,
            },
        )

    return act


async def measure(store: SqliteStore, serials: Iterator[int], fsyncs: ctypes.c_long) -> Figures:
    """One round: every writer writes plan after plan until the time is up."""
    plans = 0
    end = time.perf_counter() + ROUND_SECONDS

    async def writer() -> None:
        nonlocal plans
        while time.perf_counter() < end:
            await store.write(plan(next(serials)))
            plans += 1

    fsyncs_before, cpu, started = fsyncs.value, time.process_time(), time.perf_counter()
    await asyncio.gather(*(writer() for _ in range(WRITERS)))
    seconds = time.perf_counter() - started
    cpu_us = (time.process_time() - cpu) * 1e6
    return Figures(plans / seconds, cpu_us / plans, plans / (fsyncs.value - fsyncs_before))


async def rounds(folder: Path) -> dict[Case, Figures]:
    """Every case in turn, ROUNDS times; the medians."""
    extra_us, fsyncs = shim.extra_us(), shim.fsyncs()
    serials = count()
    stores = {
        batch: SqliteStore.open(
            folder / f"{batch}.db", migrations=[SCHEMA], on_fatal=give_up, make=True, batch=batch
        )
        for batch in (64, 1)
    }
    measured: dict[Case, list[Figures]] = {Case(b, us): [] for us in (0, 1000) for b in stores}
    for _round in range(ROUNDS):
        for case, figures in measured.items():
            extra_us.value = case.extra_us
            figures.append(await measure(stores[case.batch], serials, fsyncs))
    extra_us.value = 0
    for store in stores.values():
        await store.close()
    return {case: Figures(*map(median, zip(*figures, strict=True))) for case, figures in measured.items()}


def report(medians: dict[Case, Figures]) -> None:
    """One line a case, then the ratios."""
    for case, figures in medians.items():
        print(
            f"{case}  {figures.plans_per_second:8,.0f} plans/s  {figures.cpu_us_per_plan:6.0f} us CPU a plan"
            f"  {figures.plans_per_fsync:5.1f} plans an fsync"
        )
    for extra_us in (0, 1000):
        together, alone = medians[Case(64, extra_us)], medians[Case(1, extra_us)]
        print(
            f"group commit / commit per plan, fsync + {extra_us} us:"
            f" {together.plans_per_second / alone.plans_per_second:.1f} x plans/s,"
            f" {together.cpu_us_per_plan / alone.cpu_us_per_plan:.2f} x CPU a plan"
        )
        at_least(
            AIM if extra_us else 1,
            "store",
            f"group commit / commit per plan, fsync + {extra_us} us",
            together.plans_per_second / alone.plans_per_second,
        )


def run_with_shim() -> int:
    """Run this module again, with a disk that can be slowed."""
    with tempfile.TemporaryDirectory() as folder:
        environment = shim.environment(Path(folder))
        return subprocess.run([sys.executable, "-m", "bench.store"], env=environment, check=False).returncode


def main() -> int:
    if not shim.loaded():
        return run_with_shim()
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        report(asyncio.run(rounds(Path(folder))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
