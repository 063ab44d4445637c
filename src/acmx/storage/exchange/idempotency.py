"""Idempotency keys: the same key of the same account names one exchange for ever."""

import msgspec

from acmx.storage import rows
from acmx.storage.engine import Tx


class Used(msgspec.Struct, frozen=True):
    """`digest` is that of the submitted document; `refusal` the problem that answered it, if one did, else `state`."""

    account: str
    idempotency_key: str
    digest: str
    id: str
    refusal: bytes | None
    state: str = "queued"


def find(tx: Tx, account: str, key: str) -> Used | None:
    return rows.one(
        Used,
        tx.row(
            f"SELECT {rows.columns(Used)} FROM idempotency WHERE account = :account AND idempotency_key = :key",  # noqa: S608
            {"account": account, "key": key},
        ),
    )


def insert(tx: Tx, used: Used) -> bool:
    """False where the key was used before."""
    return tx.execute(rows.insert("idempotency", Used) + " ON CONFLICT DO NOTHING", rows.params(used)) == 1
