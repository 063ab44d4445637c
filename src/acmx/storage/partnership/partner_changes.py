"""Metadata of a partner that waits for a person: one row a partner."""

import msgspec

from acmx.storage import rows
from acmx.storage.engine import Tx
from acmx.storage.partnership.partners import Partner


class Change(msgspec.Struct, frozen=True):
    """`body` and `digest` of what waits, if anything does; `fault` of what came last and was not taken."""

    partner: str
    digest: str | None
    body: bytes | None
    found_at: int
    fault: str | None = None


_PUT = (
    rows.insert("partner_change", Change)
    + " ON CONFLICT (partner) DO UPDATE SET "
    + rows.update(Change, without=("partner",))
)


def find(tx: Tx, partner: str) -> Change | None:
    return rows.one(
        Change,
        tx.row(
            f"SELECT {rows.columns(Change)} FROM partner_change WHERE partner = :partner",  # noqa: S608
            {"partner": partner},
        ),
    )


def waits(tx: Tx, partner: Partner) -> bool:
    """Whether a person is to look: something waits, or what the partner has now was not taken."""
    change = find(tx, partner.id)
    if change is None:
        return False
    return change.body is not None or partner.metadata_stated != partner.metadata_digest


def put(tx: Tx, change: Change) -> None:
    tx.execute(_PUT, rows.params(change))


def drop(tx: Tx, partner: str) -> None:
    tx.execute("DELETE FROM partner_change WHERE partner = :partner", {"partner": partner})
