"""Who is to be told of what: one row for each occurrence of an event and each audience, with its tellings.

The bell only says «look again»; these rows say why, and outlive every connection.
"""

import msgspec

from acmx.domain.exchange import Audience
from acmx.storage import deliveries, rows
from acmx.storage.engine import Tx
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.partnership import thresholds


class Notice(msgspec.Struct, frozen=True, tag=True):
    """Signal: something may have changed for `person`, as in an Entry; None for all such people."""

    audience: Audience
    person: str | None


class Entry(msgspec.Struct, frozen=True):
    """A stored notice; `at` in milliseconds. `occurrence` tells apart the times an event happens to one exchange.

    Of a partnership `primary_system` is the partner and `id` empty. `person`: MC service ID or alias, or both and
    a space between; None for all such people.
    """

    serial: int | None
    at: int
    primary_system: str
    id: str
    event: str
    occurrence: int
    audience: Audience
    person: str | None


_INSERT = rows.insert("notice", Entry, without=("serial",))


def put(
    tx: Tx,
    at: int,
    exchange: Exchange,
    event: str,
    occurrence: int,
    audience: Audience,
    person: str | None = None,
) -> bool:
    """Write the notice and what is to be sent of it. False where this occurrence was noticed before.

    `person`: who stands in the place of the asker.
    """
    person = person or exchange.asker if audience == "asker" else _reviewer(tx, exchange)
    entry = Entry(None, at, exchange.primary_system, exchange.id, event, occurrence, audience, person)
    return _put(tx, entry, urgent=exchange.urgency == "urgent")


def put_partnership(tx: Tx, at: int, partner: str, event: str, occurrence: int) -> bool:
    """The same, of a partnership; it is sent at once."""
    entry = Entry(None, at, partner, "", event, occurrence, "partner-administrators", None)
    return _put(tx, entry, urgent=True)


def put_for_operators(tx: Tx, at: int, system: str, subject: str, event: str, occurrence: int) -> bool:
    """A notice of no exchange: `subject` stands in the place of its id, the own system in that of its primary."""
    return _put(tx, Entry(None, at, system, subject, event, occurrence, "operators", None), urgent=True)


def put_for_holder(
    tx: Tx, at: int, system: str, subject: str, event: str, occurrence: int, person: str
) -> bool:
    """The same for the person of an account, by MC service ID."""
    entry = Entry(None, at, system, subject, event, occurrence, "account-holders", person)
    return _put(tx, entry, urgent=True)


def _put(tx: Tx, entry: Entry, *, urgent: bool) -> bool:
    stored = tx.rows(f"{_INSERT} ON CONFLICT DO NOTHING RETURNING serial", rows.params(entry))
    if not stored:
        return False
    meant = deliveries.Meant(stored[0][0], entry.at, entry.event, entry.audience, entry.person, urgent)
    deliveries.put(tx, meant)
    tx.signal(Notice(entry.audience, entry.person))
    return True


def next_occurrence(tx: Tx, exchange: Exchange, event: str) -> int:
    """One that no notice of this event has yet."""
    found = tx.row(
        "SELECT MAX(occurrence) FROM notice WHERE primary_system = :primary AND id = :id AND event = :event",
        {"primary": exchange.primary_system, "id": exchange.id, "event": event},
    )
    return ((found[0] or 0) if found else 0) + 1


def _reviewer(tx: Tx, exchange: Exchange) -> str | None:
    """None for all reviewers: nobody is addressed at home, and where several must approve, one is not enough."""
    if exchange.role == "primary" or not exchange.addressees:
        return None
    several = thresholds.find(tx, exchange.partner, exchange.kind, "review").approvals > 1
    return None if several else " ".join(exchange.addressees)


def page(tx: Tx, *, before: int | None, limit: int) -> list[Entry]:
    """Newest first, those before the serial `before`."""
    where = "WHERE serial < :before" if before else ""
    return rows.many(
        Entry,
        tx.rows(
            f"SELECT {rows.columns(Entry)} FROM notice {where} ORDER BY serial DESC LIMIT :limit",  # noqa: S608
            {"before": before, "limit": limit},
        ),
    )
