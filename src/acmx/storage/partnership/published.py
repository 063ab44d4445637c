"""What this system published of itself: every metadata, newest last."""

import msgspec

from acmx.storage import rows
from acmx.storage.engine import Tx


class Published(msgspec.Struct, frozen=True):
    """`created_at` in milliseconds; None as it was set up."""

    digest: str
    body: bytes
    created_at: int | None


def latest(tx: Tx) -> Published | None:
    return rows.one(
        Published,
        tx.row(f"SELECT {rows.columns(Published)} FROM published ORDER BY serial DESC LIMIT 1"),  # noqa: S608
    )


def insert(tx: Tx, published: Published) -> None:
    tx.execute(rows.insert("published", Published), rows.params(published))
