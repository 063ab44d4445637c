"""The clock in doubt: while a row is there, nothing is decided by time alone."""

import msgspec

from acmx.storage import rows
from acmx.storage.engine import Tx


class ClockHold(msgspec.Struct, frozen=True):
    """Since when (milliseconds, by the clock in doubt), and why."""

    since: int
    reason: str


def find(tx: Tx) -> ClockHold | None:
    return rows.one(ClockHold, tx.row(f"SELECT {rows.columns(ClockHold)} FROM clock_hold"))  # noqa: S608


def put(tx: Tx, hold: ClockHold) -> None:
    tx.execute(rows.insert("clock_hold", ClockHold), rows.params(hold))


def remove(tx: Tx) -> bool:
    """False where the clock is not in doubt."""
    return tx.execute("DELETE FROM clock_hold") > 0
