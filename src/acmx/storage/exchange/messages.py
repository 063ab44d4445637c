"""The stored messages: every body once, byte for byte, with its digest, signature and final reply."""

import msgspec

from acmx.storage import rows
from acmx.storage.engine import Tx


class Stored(msgspec.Struct, frozen=True):
    """A message at its place. `signature` is the first accepted one of theirs; `reply` the receiver's word."""

    primary_system: str
    id: str
    sender: str
    n: int
    type: str
    digest: str
    body: bytes
    signature: str | None
    stored_at: int
    reply: bytes | None = None
    reply_signature: str | None = None


class Place(msgspec.Struct, frozen=True):
    """Where a message stands, without its body. `waiting`: it is ours and was never sent."""

    sender: str
    n: int
    type: str
    digest: str
    waiting: bool


_SELECT = f"SELECT {rows.columns(Stored)} FROM message"  # noqa: S608
_INSERT = rows.insert("message", Stored)


def at(tx: Tx, primary: str, id_: str, sender: str, n: int) -> Stored | None:
    return rows.one(
        Stored,
        tx.row(
            f"{_SELECT} WHERE primary_system = :primary AND id = :id AND sender = :sender AND n = :n",
            {"primary": primary, "id": id_, "sender": sender, "n": n},
        ),
    )


def of_exchange(tx: Tx, primary: str, id_: str) -> list[Stored]:
    return rows.many(
        Stored,
        tx.rows(
            f"{_SELECT} WHERE primary_system = :primary AND id = :id ORDER BY stored_at, sender, n",
            {"primary": primary, "id": id_},
        ),
    )


def comes_after(tx: Tx, primary: str, id_: str, type_: str, digest: str) -> bool:
    """Whether the sender of the message with this digest said something of this type after it."""
    found = tx.row(
        "SELECT 1 FROM message m JOIN message o ON o.primary_system = m.primary_system AND o.id = m.id "
        "AND o.sender = m.sender AND o.n < m.n "
        "WHERE m.primary_system = :primary AND m.id = :id AND m.type = :type AND o.digest = :digest LIMIT 1",
        {"primary": primary, "id": id_, "type": type_, "digest": digest},
    )
    return found is not None


def last_stored_at(tx: Tx, primary: str, id_: str) -> int:
    """Milliseconds; 0 where there is no message."""
    row = tx.row(
        "SELECT MAX(stored_at) FROM message WHERE primary_system = :primary AND id = :id",
        {"primary": primary, "id": id_},
    )
    return (row[0] or 0) if row else 0


def insert(tx: Tx, message: Stored) -> bool:
    """False where the place is taken."""
    return tx.execute(f"{_INSERT} ON CONFLICT DO NOTHING", rows.params(message)) == 1


def keep_reply(tx: Tx, primary: str, id_: str, sender: str, n: int, reply: bytes, signature: str) -> None:
    tx.execute(
        "UPDATE message SET reply = :reply, reply_signature = :signature "
        "WHERE primary_system = :primary AND id = :id AND sender = :sender AND n = :n AND reply IS NULL",
        {"primary": primary, "id": id_, "sender": sender, "n": n, "reply": reply, "signature": signature},
    )


def places(tx: Tx, primary: str, id_: str, ours: str, theirs: str) -> list[Place]:
    """The messages of an exchange between two MC systems, `ours` and `theirs`; nobody else has a place in it."""
    return [
        Place(sender, n, type_, digest, bool(waiting))
        for sender, n, type_, digest, waiting in tx.rows(
            "SELECT sender, n, type, digest, sender = :ours AND EXISTS (SELECT 1 FROM outbox o "
            "WHERE o.primary_system = m.primary_system AND o.id = m.id AND o.n = m.n AND o.first_sent_at IS NULL) "
            "FROM message m WHERE primary_system = :primary AND id = :id AND sender IN (:ours, :theirs) "
            "ORDER BY sender, n",
            {"primary": primary, "id": id_, "ours": ours, "theirs": theirs},
        )
    ]


def remove(tx: Tx, message: Stored) -> None:
    tx.execute(
        "DELETE FROM message WHERE primary_system = :primary AND id = :id AND sender = :sender AND n = :n",
        {"primary": message.primary_system, "id": message.id, "sender": message.sender, "n": message.n},
    )
