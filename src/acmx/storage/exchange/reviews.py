"""Who reviewed an exchange, at most once each: at B a partner's request, at A an own one before it leaves."""

import msgspec

from acmx.storage import rows
from acmx.storage.engine import Tx


class Given(msgspec.Struct, frozen=True):
    """One person's review. `person` is the comparable form of an MC service ID, `asker` that of the exchange.

    `exchange_version` and `catalogue` are the versions it was given for, `approved` counts the users it approves,
    `declined` is a JSON list of those it declines; `note` stays within the own system; `at` in milliseconds.
    """

    primary_system: str
    id: str
    asker: str
    person: str
    at: int
    digest: str
    exchange_version: int
    catalogue: int
    approved: int
    declined: str
    reason: str
    note: str | None = None

    @property
    def versions(self) -> tuple[int, int]:
        return self.exchange_version, self.catalogue

    @property
    def declines(self) -> tuple[str, ...]:
        declined: tuple[str, ...] = msgspec.json.decode(self.declined, type=tuple[str, ...])
        return declined


_COLUMNS = rows.columns(Given)
_INSERT = rows.insert("review", Given)
_KEY = "primary_system = :primary AND id = :id"


def of_exchange(tx: Tx, primary: str, id_: str) -> list[Given]:
    """In the order in which they were given."""
    return rows.many(
        Given,
        tx.rows(
            f"SELECT {_COLUMNS} FROM review WHERE {_KEY} ORDER BY at, person",  # noqa: S608
            {"primary": primary, "id": id_},
        ),
    )


def versions(tx: Tx, primary: str, id_: str, person: str) -> tuple[int, int] | None:
    """Those that this person's review was given for; None where there is no review."""
    found = tx.row(
        f"SELECT exchange_version, catalogue FROM review WHERE {_KEY} AND person = :person",  # noqa: S608
        {"primary": primary, "id": id_, "person": person},
    )
    return (found[0], found[1]) if found else None


def put(tx: Tx, given: Given) -> None:
    """Replaces what the same person said for earlier versions."""
    tx.execute(
        f"{_INSERT} ON CONFLICT (primary_system, id, person) DO UPDATE SET at = excluded.at, "
        "digest = excluded.digest, exchange_version = excluded.exchange_version, catalogue = excluded.catalogue, "
        "approved = excluded.approved, declined = excluded.declined, reason = excluded.reason, "
        "note = excluded.note",
        rows.params(given),
    )
