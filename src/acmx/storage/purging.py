"""What is removed past its retention. Digests, signatures, receipts and the journal stay."""

from acmx.storage.engine import Tx

_REFUSED = (
    "type = 'refused' AND stored_at <= :before AND length(body) > 0 AND NOT EXISTS "
    "(SELECT 1 FROM exchange e WHERE e.primary_system = message.primary_system AND e.id = message.id)"
)


def ended(tx: Tx, before: int, limit: int) -> list[tuple[str, str]]:
    """(primary, id) of the exchanges that ended before then (milliseconds) and were not purged, earliest first."""
    found = tx.rows(
        "SELECT primary_system, id FROM exchange WHERE ended_at <= :before AND purged_at IS NULL "
        "ORDER BY ended_at LIMIT :limit",
        {"before": before, "limit": limit},
    )
    return [(primary, id_) for primary, id_ in found]


def purge(tx: Tx, primary: str, id_: str, now: int) -> tuple[int, int]:
    """How many bodies and notices were removed of an exchange."""
    key = {"primary": primary, "id": id_}
    where = "WHERE primary_system = :primary AND id = :id"
    bodies = tx.execute(f"UPDATE message SET body = x'' {where} AND length(body) > 0", key)  # noqa: S608
    bodies += tx.execute(f"UPDATE contradiction SET body = x'' {where} AND length(body) > 0", key)  # noqa: S608
    tx.execute(
        f"DELETE FROM telling WHERE notice IN (SELECT serial FROM notice {where})",  # noqa: S608
        key,
    )
    notices = tx.execute(f"DELETE FROM notice {where}", key)  # noqa: S608
    tx.execute(
        f"UPDATE exchange SET purged_at = :now, purpose = '', reference = NULL, reason = NULL {where}",  # noqa: S608
        {**key, "now": now},
    )
    return bodies, notices


def refused(tx: Tx, before: int, limit: int) -> list[tuple[str, str, str, int]]:
    """(primary, id, sender, n) of messages that were refused then and began no exchange."""
    found = tx.rows(
        f"SELECT primary_system, id, sender, n FROM message WHERE {_REFUSED} ORDER BY stored_at LIMIT :limit",  # noqa: S608
        {"before": before, "limit": limit},
    )
    return [(primary, id_, sender, n) for primary, id_, sender, n in found]


def purge_refused(tx: Tx, primary: str, id_: str, sender: str, n: int) -> None:
    tx.execute(
        "UPDATE message SET body = x'' "
        "WHERE primary_system = :primary AND id = :id AND sender = :sender AND n = :n",
        {"primary": primary, "id": id_, "sender": sender, "n": n},
    )


def counts(tx: Tx, before: int) -> tuple[int, int, int]:
    """How many exchanges, bodies and notices would be removed."""
    of_ended = (
        "JOIN exchange e ON e.primary_system = t.primary_system AND e.id = t.id "
        "WHERE e.ended_at <= :before AND e.purged_at IS NULL"
    )
    counted = [
        "SELECT COUNT(*) FROM exchange WHERE ended_at <= :before AND purged_at IS NULL",
        f"SELECT COUNT(*) FROM message t {of_ended} AND length(t.body) > 0",  # noqa: S608
        f"SELECT COUNT(*) FROM contradiction t {of_ended} AND length(t.body) > 0",  # noqa: S608
        f"SELECT COUNT(*) FROM message WHERE {_REFUSED}",  # noqa: S608
        f"SELECT COUNT(*) FROM notice t {of_ended}",  # noqa: S608
    ]
    found = [row[0] if (row := tx.row(sql, {"before": before})) else 0 for sql in counted]
    return found[0], found[1] + found[2] + found[3], found[4]
