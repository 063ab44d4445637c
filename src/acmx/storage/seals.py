"""The sealed journal: its head, the roots of its blocks, and the signed checkpoints."""

import msgspec

from acmx.storage import rows
from acmx.storage.engine import Tx

HASH = 32


class Head(msgspec.Struct, frozen=True):
    """`size` rows are sealed, the last one has this `serial`; `peaks` are 32 bytes each, the largest tree first."""

    size: int
    serial: int
    peaks: bytes

    @property
    def split(self) -> list[bytes]:
        return [self.peaks[i : i + HASH] for i in range(0, len(self.peaks), HASH)]


class Row(msgspec.Struct, frozen=True):
    """A row of the journal with its seal."""

    serial: int
    number: int | None
    hash: bytes | None
    at: int
    event: str
    actor: str
    primary_system: str | None
    id: str | None
    detail: str


class Kept(msgspec.Struct, frozen=True):
    """A stored checkpoint: its body as text and its signature; `at` in milliseconds."""

    size: int
    at: int
    body: str
    signature: str
    kept: int


_ROW = f"SELECT {rows.columns(Row)} FROM journal"  # noqa: S608
_KEPT = f"SELECT {rows.columns(Kept)} FROM checkpoint"  # noqa: S608


def head(tx: Tx) -> Head:
    row = tx.row("SELECT size, serial, peaks FROM journal_head")
    return Head(*row) if row else Head(0, 0, b"")


def advance(tx: Tx, old: Head, new: Head) -> bool:
    """Compare and set: False where another sealer was there first."""
    return (
        tx.execute(
            "UPDATE journal_head SET size = :size, serial = :serial, peaks = :peaks WHERE size = :was",
            {"size": new.size, "serial": new.serial, "peaks": new.peaks, "was": old.size},
        )
        == 1
    )


def after(tx: Tx, serial: int, limit: int) -> list[Row]:
    """The rows after this serial, oldest first."""
    return rows.many(
        Row,
        tx.rows(
            f"{_ROW} WHERE serial > :serial ORDER BY serial LIMIT :limit", {"serial": serial, "limit": limit}
        ),
    )


def of_exchange(tx: Tx, primary: str, id_: str, upto: int) -> list[Row]:
    """The sealed rows of an exchange with numbers up to that one."""
    return rows.many(
        Row,
        tx.rows(
            f"{_ROW} WHERE primary_system = :primary AND id = :id AND number <= :upto ORDER BY number",
            {"primary": primary, "id": id_, "upto": upto},
        ),
    )


def seal(tx: Tx, serial: int, number: int, hash_: bytes) -> bool:
    """False where the row is gone."""
    return (
        tx.execute(
            "UPDATE journal SET number = :number, hash = :hash WHERE serial = :serial",
            {"serial": serial, "number": number, "hash": hash_},
        )
        == 1
    )


def hashes(tx: Tx, start: int, end: int) -> list[bytes]:
    """Of the rows with the numbers start + 1 to end."""
    found = tx.rows(
        "SELECT hash FROM journal WHERE number > :start AND number <= :end ORDER BY number",
        {"start": start, "end": end},
    )
    return [hash_ for (hash_,) in found]


def put_block(tx: Tx, number: int, hash_: bytes) -> None:
    tx.execute(
        "INSERT INTO journal_block (number, hash) VALUES (:number, :hash)", {"number": number, "hash": hash_}
    )


def blocks(tx: Tx, count: int, start: int = 0) -> list[bytes]:
    """The roots of the first so many blocks, those before `start` left out."""
    found = tx.rows(
        "SELECT hash FROM journal_block WHERE number >= :start AND number < :count ORDER BY number",
        {"start": start, "count": count},
    )
    return [hash_ for (hash_,) in found]


def put_checkpoint(tx: Tx, checkpoint: Kept) -> None:
    """It takes the place of those before it that are not to be kept."""
    tx.execute("DELETE FROM checkpoint WHERE kept = 0")
    tx.execute(rows.insert("checkpoint", Kept), rows.params(checkpoint))


def last_checkpoint(tx: Tx, *, kept: bool = False) -> Kept | None:
    where = "WHERE kept = 1" if kept else ""
    return rows.one(Kept, tx.row(f"{_KEPT} {where} ORDER BY size DESC LIMIT 1"))


def checkpoints(tx: Tx, *, after: int, limit: int) -> list[Kept]:
    """The smallest first, those larger than `after`."""
    return rows.many(
        Kept,
        tx.rows(
            f"{_KEPT} WHERE size > :after ORDER BY size LIMIT :limit",
            {"after": after, "limit": limit},
        ),
    )
