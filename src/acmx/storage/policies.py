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


class PolicyChanged(msgspec.Struct, frozen=True):
    """Signal: another policy holds."""


def current(tx: Tx) -> PolicyText:
    row = tx.row(f"SELECT {rows.columns(PolicyText)} FROM policy ORDER BY version DESC LIMIT 1")  # noqa: S608
    return PolicyText(*row) if row else PolicyText(0, "", 0, "")


def insert(tx: Tx, policy: PolicyText) -> bool:
    """False where this version exists."""
    tx.signal(PolicyChanged())
    return tx.execute(rows.insert("policy", PolicyText) + " ON CONFLICT DO NOTHING", rows.params(policy)) == 1
