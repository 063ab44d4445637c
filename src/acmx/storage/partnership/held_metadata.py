"""Everything that this system and its partners ever said of themselves: whoever signed once can be known for good."""

from acmx.storage.engine import Tx


def keep(tx: Tx, system: str, digest: str, body: bytes) -> None:
    tx.execute(
        "INSERT INTO held_metadata (system, digest, body) VALUES (:system, :digest, :body) ON CONFLICT DO NOTHING",
        {"system": system, "digest": digest, "body": body},
    )


def of(tx: Tx, system: str) -> list[bytes]:
    """Oldest first."""
    found = tx.rows(
        "SELECT body FROM held_metadata WHERE system = :system ORDER BY serial", {"system": system}
    )
    return [body for (body,) in found]
