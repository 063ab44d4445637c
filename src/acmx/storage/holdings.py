"""The server identity information of this system, version by version."""

import msgspec

from acmx.storage import rows
from acmx.storage.engine import Tx


class Catalogue(msgspec.Struct, frozen=True):
    """One version. `body` is the server identity as JSON, `missing` the absent required rows, comma-separated."""

    version: int
    body: bytes
    missing: str
    entered_at: int
    entered_by: str


_SELECT = f"SELECT {rows.columns(Catalogue)} FROM catalogue"  # noqa: S608


def current(tx: Tx) -> Catalogue | None:
    return rows.one(Catalogue, tx.row(f"{_SELECT} ORDER BY version DESC LIMIT 1"))


def current_version(tx: Tx) -> int:
    """0 while none has been entered."""
    row = tx.row("SELECT MAX(version) FROM catalogue")
    return (row[0] or 0) if row else 0


def find(tx: Tx, version: int) -> Catalogue | None:
    return rows.one(Catalogue, tx.row(f"{_SELECT} WHERE version = :version", {"version": version}))


def insert(tx: Tx, catalogue: Catalogue) -> bool:
    """False where this version exists."""
    return (
        tx.execute(rows.insert("catalogue", Catalogue) + " ON CONFLICT DO NOTHING", rows.params(catalogue))
        == 1
    )
