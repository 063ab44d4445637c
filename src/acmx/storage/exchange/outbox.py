"""The outgoing messages that wait for the partner's signed word."""

from collections.abc import Iterable

import msgspec

from acmx.storage import rows
from acmx.storage.engine import Tx


class Queued(msgspec.Struct, frozen=True):
    """One message that waits; in vain, once it was given up. The body is in the stored messages."""

    serial: int | None
    partner: str
    primary_system: str
    id: str
    n: int
    type: str
    queued_at: int
    next_attempt_at: int
    give_up_at: int
    attempts: int = 0
    first_sent_at: int | None = None
    last_error: str | None = None
    gave_up_at: int | None = None
    last_sent_at: int | None = None


class Outgoing(msgspec.Struct, frozen=True, tag=True):
    """Signal: something waits for this partner."""

    partner: str


_SELECT = f"SELECT {rows.columns(Queued)} FROM outbox"  # noqa: S608
_READY = (
    f"{_SELECT} o WHERE partner = :partner AND next_attempt_at <= :now AND give_up_at > :now "  # noqa: S608
    "AND NOT EXISTS (SELECT 1 FROM outbox e "
    "WHERE e.primary_system = o.primary_system AND e.id = o.id AND e.n < o.n) "
    "ORDER BY next_attempt_at, serial LIMIT :limit"
)
_INSERT = rows.insert("outbox", Queued, without=("serial",))


def put(tx: Tx, queued: Queued) -> None:
    tx.execute(f"{_INSERT} ON CONFLICT DO NOTHING", rows.params(queued))
    tx.signal(Outgoing(queued.partner))


def ready(tx: Tx, partner: str, now: int, limit: int) -> list[Queued]:
    """What may be sent now, oldest first; of each exchange only its first waiting message."""
    return rows.many(Queued, tx.rows(_READY, {"partner": partner, "now": now, "limit": limit}))


def next_moment(tx: Tx, partner: str, now: int) -> int | None:
    """When the next message that is put off may be sent."""
    row = tx.row(
        "SELECT MIN(next_attempt_at) FROM outbox WHERE partner = :partner AND next_attempt_at > :now",
        {"partner": partner, "now": now},
    )
    return row[0] if row else None


def of_exchange(tx: Tx, primary: str, id_: str) -> list[Queued]:
    return rows.many(
        Queued,
        tx.rows(
            f"{_SELECT} WHERE primary_system = :primary AND id = :id ORDER BY n",
            {"primary": primary, "id": id_},
        ),
    )


def find(tx: Tx, primary: str, id_: str, n: int) -> Queued | None:
    return next((queued for queued in of_exchange(tx, primary, id_) if queued.n == n), None)


def to_give_up(tx: Tx, now: int, limit: int) -> list[Queued]:
    """What has been sent in vain for as long as it may be, and was not given up yet."""
    return rows.many(
        Queued,
        tx.rows(
            f"{_SELECT} WHERE gave_up_at IS NULL AND give_up_at <= :now ORDER BY give_up_at LIMIT :limit",
            {"now": now, "limit": limit},
        ),
    )


def give_up(tx: Tx, queued: Queued, now: int) -> bool:
    """False where it no longer waits."""
    return (
        tx.execute(
            "UPDATE outbox SET gave_up_at = :now WHERE primary_system = :primary AND id = :id AND n = :n "
            "AND gave_up_at IS NULL",
            {"primary": queued.primary_system, "id": queued.id, "n": queued.n, "now": now},
        )
        == 1
    )


def attempt(tx: Tx, batch: Iterable[Queued], now: int) -> list[Queued]:
    """Those of the batch that still wait; committed before the first byte of these attempts leaves."""
    return [
        msgspec.structs.replace(
            queued,
            attempts=queued.attempts + 1,
            first_sent_at=queued.first_sent_at or now,
            last_sent_at=now,
        )
        for queued in batch
        if tx.execute(
            "UPDATE outbox SET attempts = attempts + 1, first_sent_at = COALESCE(first_sent_at, :now), "
            "last_sent_at = :now "
            "WHERE primary_system = :primary AND id = :id AND n = :n",
            {"primary": queued.primary_system, "id": queued.id, "n": queued.n, "now": now},
        )
    ]


def put_off(tx: Tx, queued: Queued, next_attempt_at: int, error: str) -> None:
    tx.execute(
        "UPDATE outbox SET next_attempt_at = :at, last_error = :error "
        "WHERE primary_system = :primary AND id = :id AND n = :n",
        {
            "primary": queued.primary_system,
            "id": queued.id,
            "n": queued.n,
            "at": next_attempt_at,
            "error": error,
        },
    )


def remove(tx: Tx, primary: str, id_: str, n: int) -> bool:
    """False where it no longer waits."""
    return (
        tx.execute(
            "DELETE FROM outbox WHERE primary_system = :primary AND id = :id AND n = :n",
            {"primary": primary, "id": id_, "n": n},
        )
        == 1
    )


def clear(tx: Tx, primary: str, id_: str) -> None:
    """Nothing of this exchange waits any more."""
    tx.execute(
        "DELETE FROM outbox WHERE primary_system = :primary AND id = :id", {"primary": primary, "id": id_}
    )


def page(tx: Tx, *, after: int, limit: int, partner: str | None = None) -> list[Queued]:
    """What waits, for this partner or for whomever, those after the serial `after`, oldest first."""
    of_partner = "partner = :partner AND " if partner else ""
    return rows.many(
        Queued,
        tx.rows(
            f"{_SELECT} WHERE {of_partner}serial > :after ORDER BY serial LIMIT :limit",
            {"after": after, "limit": limit, "partner": partner},
        ),
    )


def send_now(tx: Tx, now: int, *, partner: str | None, primary: str | None, id_: str | None) -> int:
    """What was put off is put off no longer: of this partner, this exchange, or whatever is None; how much waits."""
    return tx.execute(
        "UPDATE outbox SET next_attempt_at = CASE WHEN next_attempt_at > :now THEN :now ELSE next_attempt_at END "
        "WHERE give_up_at > :now AND (CAST(:partner AS TEXT) IS NULL OR partner = :partner) "
        "AND (CAST(:id AS TEXT) IS NULL OR (primary_system = :primary AND id = :id))",
        {"now": now, "partner": partner, "primary": primary, "id": id_},
    )


class Waiting(msgspec.Struct, frozen=True):
    """What waits for one partner: how much in all, of that put off, and of that no longer sent."""

    total: int
    put_off: int
    undeliverable: int


def waiting(tx: Tx, partner: str, now: int) -> Waiting:
    row = tx.row(
        "SELECT COUNT(*), COUNT(*) FILTER (WHERE next_attempt_at > :now), "
        "COUNT(*) FILTER (WHERE give_up_at <= :now) FROM outbox WHERE partner = :partner",
        {"partner": partner, "now": now},
    )
    return Waiting(*row) if row else Waiting(0, 0, 0)


def waits(tx: Tx, partner: str) -> bool:
    """Whether anything waits for this partner."""
    return tx.row("SELECT 1 FROM outbox WHERE partner = :partner LIMIT 1", {"partner": partner}) is not None


def count(tx: Tx, partner: str) -> int:
    row = tx.row("SELECT COUNT(*) FROM outbox WHERE partner = :partner", {"partner": partner})
    return row[0] if row else 0


def was_sent(tx: Tx, primary: str, id_: str, n: int, now: int) -> bool:
    """The partner holds it, so it was sent once, whatever this system remembers. False where that was known."""
    return (
        tx.execute(
            "UPDATE outbox SET first_sent_at = :now "
            "WHERE primary_system = :primary AND id = :id AND n = :n AND first_sent_at IS NULL",
            {"primary": primary, "id": id_, "n": n, "now": now},
        )
        == 1
    )
