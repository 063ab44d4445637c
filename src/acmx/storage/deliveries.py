"""The ledger of what is told: a row for each notice, channel and recipient; written with the notice, sent later.

Rows on their way are a parcel: what was put into it stays in it however often it is sent, under the same id.
"""

from collections.abc import Iterable

import msgspec

from acmx.domain.exchange import Audience
from acmx.storage import accounts, rows, subscriptions
from acmx.storage.engine import Tx


class Meant(msgspec.Struct, frozen=True):
    """A notice as it is told. `person` as in `notices.Entry`; `at` in milliseconds."""

    notice: int
    at: int
    event: str
    audience: Audience
    person: str | None
    urgent: bool


class Telling(msgspec.Struct, frozen=True):
    """A row of the ledger. States: waiting, sent, failed, dropped (no longer needed when it was to be sent)."""

    serial: int
    notice: int
    channel: str
    recipient: str
    state: str
    attempts: int
    next_attempt_at: int
    parcel: str | None
    last_error: str | None
    sent_at: int | None


class Item(msgspec.Struct, frozen=True):
    """What one telling is about. What operators and holders of accounts are told is of no exchange: `id` says what,
    `partner` is empty; of a partnership `id` is empty."""

    at: int
    event: str
    audience: Audience
    primary_system: str
    id: str
    partner: str
    urgency: str
    expires_at: int | None


class Parcel(msgspec.Struct, frozen=True):
    """What goes to one recipient at once; `attempts` counts this one."""

    id: str
    channel: str
    recipient: str
    attempts: int
    items: list[Item]


class ToTell(msgspec.Struct, frozen=True, tag=True):
    """Signal: something is to be told by this channel."""

    channel: str


_LOOSE = "channel = :channel AND recipient = :recipient AND state = 'waiting' AND parcel IS NULL"


def put(tx: Tx, meant: Meant) -> None:
    """One row for each subscription that fits."""
    for subscription in subscriptions.to(tx, meant.audience, meant.event):
        at = meant.at if meant.urgent else meant.at + subscription.bundle_ms
        given = subscription.recipient
        recipients = [given] if given else accounts.mails_of(tx, meant.person)
        for recipient in recipients:
            tx.execute(
                "INSERT INTO telling (notice, channel, recipient, next_attempt_at) "
                "VALUES (:notice, :channel, :recipient, :at) ON CONFLICT DO NOTHING",
                {"notice": meant.notice, "channel": subscription.channel, "recipient": recipient, "at": at},
            )
            tx.signal(ToTell(subscription.channel))


def drop(tx: Tx, primary: str, id_: str, events: Iterable[str], reason: str) -> None:
    """What waits of these events and is in no parcel need not be told any more."""
    named = {f"event_{n}": event for n, event in enumerate(events)}
    tx.execute(
        "UPDATE telling SET state = 'dropped', last_error = :reason "  # noqa: S608
        "WHERE state = 'waiting' AND parcel IS NULL AND notice IN (SELECT serial FROM notice "
        f"WHERE primary_system = :primary AND id = :id AND event IN ({', '.join(f':{name}' for name in named)}))",
        {"primary": primary, "id": id_, "reason": reason, **named},
    )


def drop_other_channels(tx: Tx, channels: Iterable[str], reason: str) -> None:
    """Nothing waits any longer for a channel that is not among these."""
    known = set(channels)
    for (channel,) in tx.rows("SELECT DISTINCT channel FROM telling WHERE state = 'waiting'"):
        if channel not in known:
            tx.execute(
                "UPDATE telling SET state = 'dropped', last_error = :reason "
                "WHERE channel = :channel AND state = 'waiting'",
                {"channel": channel, "reason": reason},
            )


def next_moment(tx: Tx, channel: str) -> int | None:
    """When something is to be sent by this channel."""
    row = tx.row(
        "SELECT MIN(next_attempt_at) FROM telling WHERE channel = :channel AND state = 'waiting'",
        {"channel": channel},
    )
    return row[0] if row else None


def take(tx: Tx, channel: str, *, now: int, until: int, most: int, new_id: str) -> Parcel | None:
    """The parcel that is due first, taken until `until`; whoever took it before and has not said what became of it
    took it in vain. A new parcel (id `new_id`) holds all that waits for its recipient, `most` at most.
    """
    due = tx.row(
        "SELECT recipient, parcel FROM telling WHERE channel = :channel AND state = 'waiting' "
        "AND next_attempt_at <= :now ORDER BY next_attempt_at, serial LIMIT 1",
        {"channel": channel, "now": now},
    )
    if due is None:
        return None
    recipient, parcel = due
    if parcel is None:
        parcel = new_id
        tx.execute(
            "UPDATE telling SET parcel = :parcel WHERE serial IN "  # noqa: S608
            f"(SELECT serial FROM telling WHERE {_LOOSE} ORDER BY serial LIMIT :most)",
            {"parcel": parcel, "channel": channel, "recipient": recipient, "most": most},
        )
    tx.execute(
        "UPDATE telling SET attempts = attempts + 1, next_attempt_at = :until "
        "WHERE parcel = :parcel AND state = 'waiting'",
        {"parcel": parcel, "until": until},
    )
    found = tx.rows(
        "SELECT t.attempts, n.at, n.event, n.audience, n.primary_system, n.id, "
        "COALESCE(e.partner, CASE WHEN n.audience IN ('operators', 'account-holders') THEN '' "
        "ELSE n.primary_system END), "
        "COALESCE(e.urgency, 'normal'), e.expires_at "
        "FROM telling t JOIN notice n ON n.serial = t.notice "
        "LEFT JOIN exchange e ON e.primary_system = n.primary_system AND e.id = n.id "
        "WHERE t.parcel = :parcel AND t.state = 'waiting' ORDER BY t.serial",
        {"parcel": parcel},
    )
    return Parcel(parcel, channel, recipient, found[0][0], [Item(*row[1:]) for row in found])


def send_now(tx: Tx, now: int) -> None:
    """Nothing is put off any longer."""
    tx.execute(
        "UPDATE telling SET next_attempt_at = :now WHERE state = 'waiting' AND next_attempt_at > :now",
        {"now": now},
    )


def sent(tx: Tx, parcel: str, at: int) -> None:
    tx.execute(
        "UPDATE telling SET state = 'sent', sent_at = :at, last_error = NULL "
        "WHERE parcel = :parcel AND state = 'waiting'",
        {"parcel": parcel, "at": at},
    )


def put_off(tx: Tx, parcel: str, next_attempt_at: int, error: str) -> None:
    tx.execute(
        "UPDATE telling SET next_attempt_at = :at, last_error = :error WHERE parcel = :parcel AND state = 'waiting'",
        {"parcel": parcel, "at": next_attempt_at, "error": error},
    )


def failed(tx: Tx, parcel: str, error: str) -> None:
    tx.execute(
        "UPDATE telling SET state = 'failed', last_error = :error WHERE parcel = :parcel AND state = 'waiting'",
        {"parcel": parcel, "error": error},
    )


def of_notices(tx: Tx, first: int, last: int) -> list[Telling]:
    return rows.many(
        Telling,
        tx.rows(
            f"SELECT {rows.columns(Telling)} FROM telling "  # noqa: S608
            "WHERE notice BETWEEN :first AND :last ORDER BY notice, serial",
            {"first": first, "last": last},
        ),
    )
