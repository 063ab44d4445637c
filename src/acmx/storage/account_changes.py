"""Changes of accounts that wait for a second operator, one for an account, and how many operators they need."""

import msgspec

from acmx.domain.acm1.account_changes import What
from acmx.storage import rows
from acmx.storage.engine import Tx


class Change(msgspec.Struct, frozen=True):
    """`body` is what was asked, as JSON; `asked_account` and `asked_issuer` of whom, as in a claim."""

    id: str
    account: str
    what: What
    body: bytes
    asked_at: int
    asked_by: str
    asked_account: str
    asked_issuer: str


_SELECT = f"SELECT {rows.columns(Change)} FROM account_change"  # noqa: S608


def find(tx: Tx, id_: str) -> Change | None:
    return rows.one(Change, tx.row(f"{_SELECT} WHERE id = :id", {"id": id_}))


def of_account(tx: Tx, account: str) -> Change | None:
    return rows.one(Change, tx.row(f"{_SELECT} WHERE account = :account", {"account": account}))


def page(tx: Tx, *, after: str, limit: int) -> list[Change]:
    """Oldest first, as their ids are minted in that order."""
    return rows.many(
        Change,
        tx.rows(f"{_SELECT} WHERE id > :after ORDER BY id LIMIT :limit", {"after": after, "limit": limit}),
    )


def count(tx: Tx) -> int:
    row = tx.row("SELECT COUNT(*) FROM account_change")
    return row[0] if row else 0


def insert(tx: Tx, change: Change) -> None:
    tx.execute(rows.insert("account_change", Change), rows.params(change))


def drop(tx: Tx, id_: str) -> None:
    tx.execute("DELETE FROM account_change WHERE id = :id", {"id": id_})


def needed(tx: Tx) -> int:
    row = tx.row("SELECT needed FROM account_approvals")
    return row[0] if row else 1


def set_needed(tx: Tx, needed: int) -> None:
    tx.execute("UPDATE account_approvals SET needed = :needed", {"needed": needed})
