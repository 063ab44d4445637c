"""The partner systems: what is pinned of each, where the partnership stands, and how the link is doing."""

import msgspec

from acmx.domain.partnership import Standing
from acmx.storage import rows
from acmx.storage.engine import Tx
from acmx.storage.exchange.outbox import Outgoing
from acmx.storage.partnership import held_metadata


class Partner(msgspec.Struct, frozen=True):
    """`state_here` is what this system says of the partnership, `state_there` what the partner said last, with the
    reasons; `told` is what the partner has last taken of ours.

    A comparison is due while `comparison_due_at` is set, with the reason; `compared_at` is when the last completed one
    began, `comparison_error` what was wrong with it.

    `metadata_stated` is the digest of the partner's metadata as it said last, `metadata_looked` the stated one that was
    fetched and dealt with; `keys_there` and `certificates_there` are those of ours that it takes, with spaces between.
    """

    id: str
    name: str
    state_here: Standing
    state_there: Standing
    stated_at: int
    metadata: bytes
    metadata_digest: str
    failures: int = 0
    last_error: str | None = None
    last_success_at: int | None = None
    next_attempt_at: int | None = None
    clock_difference: int | None = None
    compared_at: int | None = None
    comparison_due_at: int | None = None
    comparison_reason: str | None = None
    comparison_error: str | None = None
    metadata_stated: str | None = None
    metadata_looked: str | None = None
    keys_there: str | None = None
    certificates_there: str | None = None
    reason_here: str | None = None
    reason_there: str | None = None
    told: Standing | None = None

    @property
    def established(self) -> bool:
        return self.state_here == self.state_there == "accepted"

    @property
    def own_keys_there(self) -> frozenset[str] | None:
        """The thumbprints of our keys that it takes; None where it never said."""
        return None if self.keys_there is None else frozenset(self.keys_there.split())


class PartnerChanged(msgspec.Struct, frozen=True, tag=True):
    """Signal: the partnership or what is pinned of it has changed."""

    id: str


class Lease(msgspec.Struct, frozen=True):
    """From `now` on `owner` is to be the one who sends to the partner; times in milliseconds."""

    partner: str
    owner: str
    now: int
    until: int


_SELECT = f"SELECT {rows.columns(Partner)} FROM partner"  # noqa: S608
_UPDATE = f"UPDATE partner SET {rows.update(Partner, without=('id',))} WHERE id = :id"  # noqa: S608


def find(tx: Tx, id_: str) -> Partner | None:
    return rows.one(Partner, tx.row(f"{_SELECT} WHERE id = :id", {"id": id_}))


def every(tx: Tx) -> list[Partner]:
    return rows.many(Partner, tx.rows(f"{_SELECT} ORDER BY id"))


def insert(tx: Tx, partner: Partner) -> bool:
    """False where the partner is known."""
    tx.signal(PartnerChanged(partner.id))
    held_metadata.keep(tx, partner.id, partner.metadata_digest, partner.metadata)
    return tx.execute(rows.insert("partner", Partner) + " ON CONFLICT DO NOTHING", rows.params(partner)) == 1


def replace(tx: Tx, partner: Partner) -> None:
    tx.execute(_UPDATE, rows.params(partner))
    held_metadata.keep(tx, partner.id, partner.metadata_digest, partner.metadata)
    tx.signal(PartnerChanged(partner.id))


def took(tx: Tx, id_: str, said: Standing) -> None:
    """The partner has taken our statement."""
    tx.execute("UPDATE partner SET told = :said WHERE id = :id", {"id": id_, "said": said})


def link_failed(tx: Tx, id_: str, failures: int, error: str, next_attempt_at: int) -> None:
    tx.execute(
        "UPDATE partner SET failures = :failures, last_error = :error, next_attempt_at = :at WHERE id = :id",
        {"id": id_, "failures": failures, "error": error, "at": next_attempt_at},
    )


def try_now(tx: Tx, id_: str | None = None) -> None:
    """This partner, or with None no partner, is waited for any longer."""
    rested = "next_attempt_at IS NOT NULL AND (CAST(:id AS TEXT) IS NULL OR id = :id)"
    for (partner,) in tx.rows(f"SELECT id FROM partner WHERE {rested}", {"id": id_}):  # noqa: S608
        tx.signal(Outgoing(partner))
    tx.execute(f"UPDATE partner SET next_attempt_at = NULL WHERE {rested}", {"id": id_})  # noqa: S608


def without_certificate(tx: Tx, fingerprint: str) -> list[str]:
    """The established partners that have not said that they take this certificate of ours."""
    return [
        partner.id
        for partner in every(tx)
        if partner.established and fingerprint not in (partner.certificates_there or "").split()
    ]


def look_again(tx: Tx) -> None:
    """Metadata that was not taken is fetched once more."""
    tx.execute("UPDATE partner SET metadata_looked = NULL WHERE metadata_looked IS NOT NULL")


def leased(tx: Tx, wanted: Lease) -> int | None:
    """Until when another owner is the one who sends to this partner; None where none is.

    A lease that runs out much later than this one would was taken by a clock that was wrong, and does not count.
    """
    row = tx.row(
        "SELECT lease_until FROM partner "
        "WHERE id = :partner AND lease_owner <> :owner AND lease_until > :now AND lease_until <= :absurd",
        {**rows.params(wanted), "absurd": wanted.until + wanted.until - wanted.now},
    )
    return row[0] if row else None


def lease(tx: Tx, wanted: Lease) -> int | None:
    """Be the only one who sends to this partner; None, or until when another owner is."""
    others = leased(tx, wanted)
    if others is None:
        tx.execute(
            "UPDATE partner SET lease_owner = :owner, lease_until = :until WHERE id = :partner",
            rows.params(wanted),
        )
    return others


def release(tx: Tx, owner: str) -> None:
    """Whoever comes next need not wait."""
    held = tx.rows("SELECT id FROM partner WHERE lease_owner = :owner", {"owner": owner})
    tx.execute(
        "UPDATE partner SET lease_owner = NULL, lease_until = NULL WHERE lease_owner = :owner",
        {"owner": owner},
    )
    for (id_,) in held:
        tx.signal(Outgoing(id_))


def link_works(tx: Tx, id_: str, now: int, clock_difference: int | None) -> None:
    """`clock_difference`: how far the partner's clock is ahead of ours, in milliseconds, where that was seen."""
    tx.execute(
        "UPDATE partner SET failures = 0, last_error = NULL, next_attempt_at = NULL, last_success_at = :now, "
        "clock_difference = COALESCE(:difference, clock_difference) WHERE id = :id",
        {"id": id_, "now": now, "difference": clock_difference},
    )


def clock_heard(tx: Tx, id_: str, difference: int) -> None:
    tx.execute(
        "UPDATE partner SET clock_difference = :difference WHERE id = :id",
        {"id": id_, "difference": difference},
    )


def stated_by(tx: Tx, now: int) -> None:
    """No statement of a partner is newer than this."""
    tx.execute("UPDATE partner SET stated_at = :now WHERE stated_at > :now", {"now": now})


def compare_all(tx: Tx, now: int) -> None:
    """This system has just started: it may have been restored from a backup."""
    tx.execute("UPDATE partner SET comparison_due_at = :now, comparison_reason = 'start'", {"now": now})
    for (id_,) in tx.rows("SELECT id FROM partner"):
        tx.signal(Outgoing(id_))


def awaits_first(tx: Tx, id_: str) -> bool:
    """Whether this system has not compared with the partner since it started, though it did before."""
    return (
        tx.row(
            "SELECT 1 FROM partner WHERE id = :id AND comparison_reason = 'start' AND compared_at IS NOT NULL",
            {"id": id_},
        )
        is not None
    )


def to_compare(tx: Tx, id_: str, now: int, reason: str, *, not_within: int = 60_000) -> None:
    """A comparison is due, unless one is already, or one began within the last minute (`not_within`, milliseconds)."""
    due = tx.execute(
        "UPDATE partner SET comparison_due_at = :now, comparison_reason = :reason WHERE id = :id "
        "AND comparison_due_at IS NULL "
        "AND (compared_at IS NULL OR compared_at <= :now - :not_within OR compared_at > :now)",
        {"id": id_, "now": now, "reason": reason, "not_within": not_within},
    )
    if due:
        tx.signal(Outgoing(id_))


def compared(tx: Tx, id_: str, began_at: int, error: str | None) -> None:
    """The comparison that began then is completed."""
    tx.execute(
        "UPDATE partner SET compared_at = :began_at, comparison_error = :error, comparison_due_at = NULL, "
        "comparison_reason = NULL WHERE id = :id",
        {"id": id_, "began_at": began_at, "error": error},
    )
