"""How many people must approve what is exchanged with a partner, by kind, on each side."""

from typing import Literal

import msgspec

from acmx.storage import rows
from acmx.storage.engine import Tx

Side = Literal["review", "release"]
WITHOUT: dict[Side, int] = {"review": 1, "release": 0}
"""What holds where nothing was set: one person reviews, and what we ask for need not be released."""


class Threshold(msgspec.Struct, frozen=True):
    """`review`: of the partner's requests here; `release`: of our requests to it. `roles` is comma-separated."""

    partner: str
    kind: str
    side: Side
    approvals: int
    roles: str = ""

    @property
    def named(self) -> tuple[str, ...]:
        """The roles of which an approver must have one; empty where any reviewer may approve."""
        return tuple(filter(None, self.roles.split(",")))


_SELECT = f"SELECT {rows.columns(Threshold)} FROM threshold"  # noqa: S608


def find(tx: Tx, partner: str, kind: str | None, side: Side) -> Threshold:
    """The one in force."""
    found = tx.row(
        f"{_SELECT} WHERE partner = :partner AND kind = :kind AND side = :side",
        {"partner": partner, "kind": kind, "side": side},
    )
    return rows.one(Threshold, found) or Threshold(partner, kind or "", side, WITHOUT[side])


def of_partner(tx: Tx, partner: str) -> list[Threshold]:
    """Those that were set."""
    return rows.many(
        Threshold,
        tx.rows(f"{_SELECT} WHERE partner = :partner ORDER BY kind, side DESC", {"partner": partner}),
    )


def put(tx: Tx, threshold: Threshold) -> None:
    tx.execute(
        rows.insert("threshold", Threshold) + " ON CONFLICT (partner, kind, side) "
        "DO UPDATE SET approvals = excluded.approvals, roles = excluded.roles",
        rows.params(threshold),
    )
