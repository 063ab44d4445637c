"""Checkpoints that were shipped, of a history of the journal that this database does not hold."""

import msgspec

from acmx.storage import rows
from acmx.storage.engine import Tx


class Lost(msgspec.Struct, frozen=True):
    """One that was found as `file`; `root` in hexadecimal, `kid` names the key that signed. Times in milliseconds."""

    size: int
    root: str
    kid: str
    created_at: int
    file: str
    found_at: int
    acknowledged_at: int | None = None


_SELECT = f"SELECT {rows.columns(Lost)} FROM lost_checkpoint"  # noqa: S608
_OPEN = "acknowledged_at IS NULL"


def insert(tx: Tx, lost: Lost) -> bool:
    """False where it is known."""
    return (
        tx.execute(rows.insert("lost_checkpoint", Lost) + " ON CONFLICT DO NOTHING", rows.params(lost)) == 1
    )


def count_open(tx: Tx) -> int:
    """How many nobody has acknowledged."""
    row = tx.row(f"SELECT COUNT(*) FROM lost_checkpoint WHERE {_OPEN}")  # noqa: S608
    return row[0] if row else 0


def last_open(tx: Tx) -> Lost | None:
    """The largest that nobody has acknowledged."""
    return rows.one(Lost, tx.row(f"{_SELECT} WHERE {_OPEN} ORDER BY size DESC, root LIMIT 1"))


def find(tx: Tx, size: int, root: str) -> Lost | None:
    return rows.one(
        Lost, tx.row(f"{_SELECT} WHERE size = :size AND root = :root", {"size": size, "root": root})
    )


def acknowledge(tx: Tx, at: int) -> int:
    """How many were open."""
    return tx.execute(f"UPDATE lost_checkpoint SET acknowledged_at = :at WHERE {_OPEN}", {"at": at})  # noqa: S608
