"""What an operator watches, read from the database by queries that look at a bounded number of rows, by an index."""

import msgspec

from acmx.storage import seals
from acmx.storage.engine import Tx

MOST = 10_000
"""More rows than that are not counted: an operator was called long before."""


class Waiting(msgspec.Struct, frozen=True):
    """How much waits for a partner, of that given up, and since when the oldest that is still sent (milliseconds)."""

    total: int
    given_up: int
    oldest: int | None


class Pending(msgspec.Struct, frozen=True):
    """How many requests wait for a decision here, and since when the oldest (milliseconds)."""

    total: int
    oldest: int | None


class Journal(msgspec.Struct, frozen=True):
    """How many rows there are, how many are not sealed yet, and from when the oldest of these is (milliseconds)."""

    total: int
    unsealed: int
    oldest: int | None


def waiting(tx: Tx, partner: str) -> Waiting:
    """Of more than MOST messages, those that are to be sent first."""
    row = tx.row(
        "SELECT COUNT(*), COUNT(gave_up_at), MIN(CASE WHEN gave_up_at IS NULL THEN queued_at END) FROM "
        "(SELECT queued_at, gave_up_at FROM outbox WHERE partner = :partner "
        "ORDER BY next_attempt_at, serial LIMIT :most) AS found",
        {"partner": partner, "most": MOST},
    )
    return Waiting(*row) if row else Waiting(0, 0, None)


def pending(tx: Tx) -> Pending:
    oldest = tx.row("SELECT created_at FROM exchange WHERE state = 'pending' ORDER BY serial LIMIT 1")
    return Pending(
        _count(tx, "SELECT 1 FROM exchange WHERE state = 'pending'"),
        oldest[0] if oldest else None,
    )


def journal(tx: Tx) -> Journal:
    head = seals.head(tx)
    unsealed = _count(tx, "SELECT 1 FROM journal WHERE serial > :serial", serial=head.serial)
    oldest = tx.row(
        "SELECT at FROM journal WHERE serial > :serial ORDER BY serial LIMIT 1", {"serial": head.serial}
    )
    return Journal(head.size + unsealed, unsealed, oldest[0] if oldest else None)


def _count(tx: Tx, sql: str, **params: object) -> int:
    row = tx.row(f"SELECT COUNT(*) FROM ({sql} LIMIT :most) AS found", {**params, "most": MOST})  # noqa: S608
    return row[0] if row else 0
