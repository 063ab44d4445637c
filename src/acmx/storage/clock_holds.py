"""The clock in doubt: while a row is there, nothing is decided by time alone."""

import msgspec

from acmx.storage import rows
from acmx.storage.engine import Tx


class ClockHold(msgspec.Struct, frozen=True):
    """Of one `clock`: since when (by the clock in doubt), and why.

    `journal_serial`: the newest entry of the journal then. `right_at` and `steady_at`, where known: when the clock was
    last right, and the time since boot then. Times in milliseconds.
    """

    clock: str
    since: int
    reason: str
    journal_serial: int = 0
    right_at: int | None = None
    steady_at: int | None = None


class ClockRight(msgspec.Struct, frozen=True, tag=True):
    """Signal: a clock that was in doubt is right. Whatever waits for a time that it gave need not."""


_SELECT = f"SELECT {rows.columns(ClockHold)} FROM clock_hold"  # noqa: S608


def every(tx: Tx) -> list[ClockHold]:
    """Oldest first."""
    return rows.many(ClockHold, tx.rows(f"{_SELECT} ORDER BY journal_serial, clock"))


def of(tx: Tx, clock: str) -> ClockHold | None:
    return rows.one(ClockHold, tx.row(f"{_SELECT} WHERE clock = :clock", {"clock": clock}))


def put(tx: Tx, hold: ClockHold) -> bool:
    """False where this clock is held already: that stays as it is."""
    return (
        tx.execute(rows.insert("clock_hold", ClockHold) + " ON CONFLICT DO NOTHING", rows.params(hold)) == 1
    )


def remove(tx: Tx, clock: str | None = None) -> list[ClockHold]:
    """Of this clock or, without, of all; what was removed."""
    found = [hold for hold in every(tx) if clock in (None, hold.clock)]
    for hold in found:
        tx.execute("DELETE FROM clock_hold WHERE clock = :clock", {"clock": hold.clock})
    return found
