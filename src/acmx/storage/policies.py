"""The policy texts, version by version."""

import msgspec

from acmx.storage import rows
from acmx.storage.engine import Tx


class PolicyText(msgspec.Struct, frozen=True):
    """One version of the policy (Cedar)."""

    version: int
    text: str
    set_at: int
    set_by: str


class PolicyChanged(msgspec.Struct, frozen=True, tag=True):
    """Signal: another policy holds."""


def current(tx: Tx) -> PolicyText:
    row = tx.row(f"SELECT {rows.columns(PolicyText)} FROM policy ORDER BY version DESC LIMIT 1")  # noqa: S608
    return PolicyText(*row) if row else PolicyText(0, "", 0, "")


def current_version(tx: Tx) -> int:
    """0 where none was set."""
    row = tx.row("SELECT MAX(version) FROM policy")
    return (row[0] or 0) if row else 0


def of_version(tx: Tx, version: int) -> PolicyText | None:
    select = f"SELECT {rows.columns(PolicyText)} FROM policy WHERE version = :version"  # noqa: S608
    return rows.one(PolicyText, tx.row(select, {"version": version}))


def insert(tx: Tx, policy: PolicyText) -> bool:
    """False where this version exists."""
    tx.signal(PolicyChanged())
    return tx.execute(rows.insert("policy", PolicyText) + " ON CONFLICT DO NOTHING", rows.params(policy)) == 1
