"""The journal: a row for everything that happened, with ids and digests, never bodies. It is the audit log."""

import json
from collections.abc import Mapping
from typing import Final

import msgspec

from acmx.storage import rows
from acmx.storage.engine import Act, Tx


class Entry(msgspec.Struct, frozen=True):
    """`actor` is an account's MC service ID, a partner's MC system ID, `policy`, `clock` or `database`."""

    serial: int | None
    at: int
    event: str
    actor: str
    primary_system: str | None = None
    id: str | None = None
    detail: str = "{}"


class Journalled(msgspec.Struct, frozen=True, tag=True):
    """Signal: there is a row to be sealed, of this exchange (primary MC system ID, id) or act if of any."""

    exchange: tuple[str, str] | None = None
    act: Act | None = None


class OnBehalf:
    """A transaction of a person's call: every row in it with this actor also says by which account."""

    def __init__(self, tx: Tx, actor: str, by: Mapping[str, str]) -> None:
        self.actor = actor
        self.by = by
        self.execute = tx.execute
        self.row = tx.row
        self.rows = tx.rows
        self.signal = tx.signal


_SUBJECTS: Final = ("account", "partner", "mc_service_id", "version")
"""What of the detail says to what something was done."""
_SELECT = f"SELECT {rows.columns(Entry)} FROM journal"  # noqa: S608
_INSERT = rows.insert("journal", Entry, without=("serial",))


def newest(tx: Tx) -> int:
    """The serial of the newest entry; 0 where there is none."""
    row = tx.row("SELECT COALESCE(MAX(serial), 0) FROM journal")
    return row[0] if row else 0


def write(
    tx: Tx,
    at: int,
    event: str,
    actor: str,
    *,
    primary: str | None = None,
    id_: str | None = None,
    **detail: object,
) -> None:
    known = {name: value for name, value in detail.items() if value is not None}
    exchange = (primary, id_) if primary and id_ else None
    act = None
    if isinstance(tx, OnBehalf) and actor == tx.actor:
        act = None if exchange else Act(at, event, actor, _subject(known))
        known |= tx.by
    entry = Entry(None, at, event, actor, primary, id_, json.dumps(known, sort_keys=True, default=str))
    tx.execute(_INSERT, rows.params(entry))
    tx.signal(Journalled(exchange, act))


def _subject(detail: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {detail[name]}" for name in _SUBJECTS if name in detail)[:255]


def of_exchange(tx: Tx, primary: str, id_: str) -> list[Entry]:
    return rows.many(
        Entry,
        tx.rows(
            f"{_SELECT} WHERE primary_system = :primary AND id = :id ORDER BY serial",
            {"primary": primary, "id": id_},
        ),
    )


def first(tx: Tx, primary: str, id_: str, event: str) -> Entry | None:
    """The first row of this event of an exchange."""
    return rows.one(
        Entry,
        tx.row(
            f"{_SELECT} WHERE primary_system = :primary AND id = :id AND event = :event ORDER BY serial LIMIT 1",
            {"primary": primary, "id": id_, "event": event},
        ),
    )


def last_at(tx: Tx, primary: str, id_: str) -> int:
    """When something happened to this exchange last; milliseconds."""
    row = tx.row(
        "SELECT MAX(at) FROM journal WHERE primary_system = :primary AND id = :id",
        {"primary": primary, "id": id_},
    )
    return (row[0] or 0) if row else 0


def has(tx: Tx, primary: str, id_: str, event: str, actor: str, *, since: int) -> bool:
    """Whether this happened to the exchange since then (milliseconds)."""
    return (
        tx.row(
            "SELECT 1 FROM journal WHERE primary_system = :primary AND id = :id AND event = :event "
            "AND actor = :actor AND at >= :since LIMIT 1",
            {"primary": primary, "id": id_, "event": event, "actor": actor, "since": since},
        )
        is not None
    )


class Wanted(msgspec.Struct, frozen=True):
    """Which rows of the journal are looked for; what is None does not matter."""

    event: str | None = None
    actor: str | None = None
    exchange: str | None = None


ALL = Wanted()


def page(tx: Tx, *, before: int | None, limit: int, wanted: Wanted = ALL, from_: int = 0) -> list[Entry]:
    """Newest first, those before the serial `before` and from `from_` on."""
    where = ["serial >= :from"]
    if before:
        where.append("serial < :before")
    columns = {"event": wanted.event, "actor": wanted.actor, "id": wanted.exchange}
    asked = {name: value for name, value in columns.items() if value is not None}
    where += [f"{name} = :{name}" for name in asked]
    return rows.many(
        Entry,
        tx.rows(
            f"{_SELECT} WHERE {' AND '.join(where)} ORDER BY serial DESC LIMIT :limit",
            {"before": before, "from": from_, "limit": limit, **asked},
        ),
    )


def last(tx: Tx) -> int:
    """The serial of the newest row; 0: none."""
    row = tx.row("SELECT MAX(serial) FROM journal")
    return (row[0] or 0) if row else 0


def last_before(tx: Tx, at: int) -> int:
    """The serial of the last row before then (milliseconds), as far as the clock only ever went forward; 0: none."""
    low, high = 0, last(tx)
    while low < high:
        middle = (low + high) // 2
        next_ = tx.row(
            "SELECT serial, at FROM journal WHERE serial > :serial ORDER BY serial LIMIT 1",
            {"serial": middle},
        )
        if next_ is not None and next_[1] < at:
            low = next_[0]
        else:
            high = middle
    return low
