"""What the sealed journal costs, in processor time: a row to seal and to verify, proofs for the evidence.

    uv run python -m bench.journal --rows 1000 --rows 10000 --rows 100000

The times of one run on one machine are to be compared with each other: a row costs the same whatever the size is.
"""

import argparse
import asyncio
import tempfile
import tracemalloc
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import process_time

from acmx.bootstrap.create import Settings, create
from acmx.bootstrap.offline_audit import opened
from acmx.bootstrap.own import own
from acmx.config import read
from acmx.flows.evidence import seal
from acmx.flows.evidence.prove import Prover
from acmx.flows.house import House
from acmx.storage import journal
from acmx.storage.engine import Tx
from acmx.storage.engines.sqlite import SqliteStore
from acmx.trust.checkpoints import Checkpoints
from acmx.trust.journal_check import JournalCheck

SYSTEM = "mc.county-fire.example"
AT_ONCE = 1000
PROOFS = 15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, action="append", help="how many rows; may be given again")
    sizes = sorted(parser.parse_args().rows or [1000, 10_000, 100_000])
    print(f"{'rows':>9} {'seal':>9} {'verify':>9} {'memory':>9} {PROOFS} proofs")
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder, "fire")
        create(
            directory,
            Settings(
                system=SYSTEM,
                name=SYSTEM,
                mc_service_id=f"sip:admin@{SYSTEM}",
                password="correct horse battery staple",
                account="admin",
                acm1="127.0.0.1:0",
                acm2="127.0.0.1:0",
                acm2_address="https://127.0.0.1:8442",
            ),
        )
        for size in sizes:
            asyncio.run(_measure(directory, size))


async def _measure(directory: Path, size: int) -> None:
    config = read(directory / "config.toml", {})
    house = House(SYSTEM, config.realms, lambda: datetime.now(UTC))
    store = SqliteStore.open(directory / "acmx.db", on_fatal=print)
    [[present]] = await store.read(lambda tx: tx.rows("SELECT COUNT(*) FROM journal"))
    for _ in range(0, size - present, AT_ONCE):
        await store.write(partial(_fill, count=AT_ONCE))
    [[waiting]] = await store.read(lambda tx: tx.rows("SELECT COUNT(*) FROM journal WHERE number IS NULL"))
    began = process_time()
    await seal.seal(house, store, own(directory, config))
    sealing = (process_time() - began) / max(waiting, 1)
    began = process_time()
    await store.read(partial(_prove, count=waiting))
    proving = process_time() - began
    await store.close()
    verifying, memory = _verify(directory)
    print(
        f"{size:>9,} {sealing * 1e6:>6.1f} µs {verifying * 1e6:>6.1f} µs {memory / 1024:>5.0f} KiB"
        f" {proving * 1e3:>6.1f} ms"
    )


def _fill(tx: Tx, count: int) -> None:
    for n in range(count):
        journal.write(
            tx,
            n,
            "filler",
            "tests",
            primary=SYSTEM,
            id_=f"01a2076b-4400-7000-8000-{n:012d}",
            digest=f"{n:064d}",
        )


def _prove(tx: Tx, count: int) -> None:
    prover = Prover(tx, count)
    for n in range(1, count, max(count // PROOFS, 1)):
        prover.proof(n)


def _verify(directory: Path) -> tuple[float, int]:
    """Seconds a row; bytes at most."""

    def run() -> int:
        with opened(directory) as found:
            check = JournalCheck(Checkpoints(found.checkpoints))
            for row in found.rows:
                check.take(row)
            verdict = check.finish()
        assert not verdict.troubles, verdict
        return verdict.rows

    began = process_time()
    rows = run()
    seconds = process_time() - began
    tracemalloc.start()
    run()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return seconds / rows, most


if __name__ == "__main__":
    main()
