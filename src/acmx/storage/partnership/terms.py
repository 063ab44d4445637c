"""The terms of this system for each partner, and how much of them the partner has used."""

import msgspec

from acmx.storage import rows
from acmx.storage.engine import Tx


class Terms(msgspec.Struct, frozen=True):
    """What is exchanged with a partner, by whom here, and how much is taken from it.

    `kinds` and `askers` (MC service IDs and roles) are separated by spaces. Empty: no kind, and everybody.
    `reprovision`: what is on the CMS follows what the partner says by itself.
    """

    partner: str
    kinds: str = ""
    askers: str = ""
    max_open: int = 1_000
    max_users: int = 10_000
    max_per_hour: int = 3_600
    note: str = ""
    reprovision: int = 0

    def exchanges(self, kind: str) -> bool:
        return kind in self.kinds.split()


_SELECT = f"SELECT {rows.columns(Terms)} FROM terms WHERE partner = :partner"  # noqa: S608
_PUT = (
    rows.insert("terms", Terms)
    + f" ON CONFLICT (partner) DO UPDATE SET {rows.update(Terms, without=('partner',))}"
)


def find(tx: Tx, partner: str) -> Terms:
    """The usual terms where none were set: nothing is exchanged."""
    return rows.one(Terms, tx.row(_SELECT, {"partner": partner})) or Terms(partner)


def put(tx: Tx, terms: Terms) -> None:
    tx.execute(_PUT, rows.params(terms))


def spent_until(tx: Tx, partner: str) -> int:
    """Milliseconds; 0 where nothing was spent."""
    row = tx.row("SELECT until FROM spent WHERE partner = :partner", {"partner": partner})
    return row[0] if row else 0


def spent_nothing_after(tx: Tx, now: int) -> None:
    tx.execute("DELETE FROM spent WHERE until > :now", {"now": now})


def spend(tx: Tx, partner: str, until: int) -> None:
    tx.execute(
        "INSERT INTO spent (partner, until) VALUES (:partner, :until) "
        "ON CONFLICT (partner) DO UPDATE SET until = :until",
        {"partner": partner, "until": until},
    )
