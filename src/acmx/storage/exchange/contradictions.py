"""The bodies that lost their place to an earlier one: kept, and shown to people."""

import msgspec

from acmx.storage import rows
from acmx.storage.engine import Tx


class Contradicted(msgspec.Struct, frozen=True):
    """A signed body beside the one that stands. `found_at` in milliseconds."""

    primary_system: str
    id: str
    sender: str
    n: int
    type: str
    digest: str
    body: bytes
    signature: str | None
    found_at: int


_SELECT = f"SELECT {rows.columns(Contradicted)} FROM contradiction"  # noqa: S608
_INSERT = rows.insert("contradiction", Contradicted)


def insert(tx: Tx, contradicted: Contradicted) -> bool:
    """False where it is known."""
    return tx.execute(f"{_INSERT} ON CONFLICT DO NOTHING", rows.params(contradicted)) == 1


def of_exchange(tx: Tx, primary: str, id_: str) -> list[Contradicted]:
    return rows.many(
        Contradicted,
        tx.rows(
            f"{_SELECT} WHERE primary_system = :primary AND id = :id ORDER BY found_at, sender, n, digest",
            {"primary": primary, "id": id_},
        ),
    )


def digests(tx: Tx, primary: str, id_: str) -> set[tuple[str, int, str]]:
    """(sender, n, digest)."""
    found = tx.rows(
        "SELECT sender, n, digest FROM contradiction WHERE primary_system = :primary AND id = :id",
        {"primary": primary, "id": id_},
    )
    return {(sender, n, digest) for sender, n, digest in found}
