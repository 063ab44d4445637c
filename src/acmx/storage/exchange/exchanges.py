"""The exchange rows: one for every exchange this system takes part in, keyed by (primary system, id)."""

from typing import Any, Self

import msgspec

from acmx.domain.exchange import Role, State
from acmx.domain.messages import Addressee, Request
from acmx.domain.moments import to_ms
from acmx.storage import rows
from acmx.storage.engine import Tx


class Exchange(msgspec.Struct, frozen=True, kw_only=False):
    """One exchange. Times in milliseconds; `version` grows by one with every change of the row.

    `ended_at` is set while the two systems owe each other nothing more. `addressee` is an MC service ID; that of an
    exchange from before there was `addressee_alias` may be an alias.
    """

    serial: int | None
    role: Role
    primary_system: str
    id: str
    partner: str
    state: State
    version: int
    kind: str | None
    asker: str
    addressee: str | None
    urgency: str
    purpose: str
    reference: str | None
    user_count: int
    sent_n: int
    received_n: int
    created_at: int
    expires_at: int | None
    due_at: int | None
    outcome: str | None = None
    reason: str | None = None
    decided_by: str | None = None
    rule: str | None = None
    catalogue: int | None = None
    grant_state: str | None = None
    valid_from: int | None = None
    valid_until: int | None = None
    remind_at: int | None = None
    ended_at: int | None = None
    addressee_alias: str | None = None

    @classmethod
    def begun(cls, request: Request, role: Role, *, at: int, due_at: int | None) -> Self:
        """Begin it at the one that asks, or at its partner: `at` is when it was submitted, or arrived."""
        ours = role == "primary"
        addressee = request.addressee or Addressee()
        return cls(
            serial=None,
            role=role,
            primary_system=request.sender,
            id=request.exchange,
            partner=request.receiver if ours else request.sender,
            state=State.QUEUED if ours else State.PENDING,
            version=0,
            kind=request.kind,
            asker=request.asker.mc_service_id,
            addressee=addressee.mc_service_id,
            addressee_alias=addressee.functional_alias,
            urgency=request.urgency,
            purpose=request.purpose,
            reference=request.reference,
            user_count=len(request.users),
            sent_n=int(ours),
            received_n=int(not ours),
            created_at=at,
            expires_at=to_ms(request.expires_at),
            due_at=due_at,
            valid_from=to_ms(request.valid_from) if request.valid_from else None,
            valid_until=to_ms(request.valid_until) if request.valid_until else None,
        )

    @property
    def addressees(self) -> tuple[str, ...]:
        """The MC service ID and the functional alias that it is addressed to, as far as there are any."""
        return tuple(name for name in (self.addressee, self.addressee_alias) if name is not None)


_COLUMNS = rows.columns(Exchange)
_SELECT = f"SELECT {_COLUMNS} FROM exchange"  # noqa: S608
_INSERT = rows.insert("exchange", Exchange, without=("serial",))
_UPDATE = (
    f"UPDATE exchange SET {rows.update(Exchange, without=('serial', 'primary_system', 'id'))} "  # noqa: S608
    "WHERE primary_system = :primary_system AND id = :id AND version = :version - 1"
)
PAGE = 100


def _row(row: tuple[Any, ...] | None) -> Exchange | None:
    return None if row is None else Exchange(row[0], row[1], row[2], row[3], row[4], State(row[5]), *row[6:])


def _rows(found: list[tuple[Any, ...]]) -> list[Exchange]:
    return [exchange for row in found if (exchange := _row(row))]


def find(tx: Tx, primary: str, id_: str) -> Exchange | None:
    return _row(
        tx.row(f"{_SELECT} WHERE primary_system = :primary AND id = :id", {"primary": primary, "id": id_})
    )


def named(tx: Tx, id_: str) -> list[Exchange]:
    """Every exchange with this id; more than one only if two primary systems minted the same."""
    return _rows(tx.rows(f"{_SELECT} WHERE id = :id ORDER BY serial", {"id": id_}))


def insert(tx: Tx, exchange: Exchange) -> bool:
    """False where the key is taken."""
    return tx.execute(f"{_INSERT} ON CONFLICT DO NOTHING", rows.params(exchange)) == 1


def replace(tx: Tx, exchange: Exchange) -> bool:
    """Compare and set: the stored version must be the one before `exchange.version`."""
    return tx.execute(_UPDATE, rows.params(exchange)) == 1


def live_with(tx: Tx, partner: str) -> list[Exchange]:
    """Those with that partner in which something is granted, and still holds."""
    return _rows(
        tx.rows(
            f"{_SELECT} WHERE partner = :partner AND grant_state = 'live' ORDER BY serial",
            {"partner": partner},
        )
    )


def due(tx: Tx, now: int, limit: int) -> list[Exchange]:
    return _rows(
        tx.rows(f"{_SELECT} WHERE due_at <= :now ORDER BY due_at LIMIT :limit", {"now": now, "limit": limit})
    )


def to_update(tx: Tx, version: int, now: int, limit: int) -> list[Exchange]:
    """Live grants of this system whose primary may not know this version of the server identity information."""
    return _rows(
        tx.rows(
            f"{_SELECT} WHERE role = 'partner' AND grant_state = 'live' AND COALESCE(catalogue, 0) < :version "
            "AND (valid_until IS NULL OR valid_until > :now) ORDER BY COALESCE(catalogue, 0), serial LIMIT :limit",
            {"version": version, "now": now, "limit": limit},
        )
    )


def ended_at_latest(tx: Tx, journal_serial: int, now: int) -> None:
    """What has ended since that entry of the journal ended now."""
    tx.execute(
        "UPDATE exchange SET ended_at = :now WHERE ended_at IS NOT NULL AND (primary_system, id) IN "
        "(SELECT primary_system, id FROM journal WHERE serial > :serial AND id IS NOT NULL)",
        {"now": now, "serial": journal_serial},
    )


def holding(tx: Tx) -> list[tuple[str, int, int]]:
    """Partner, version of the server identity information, and by how many live grants it is known there."""
    found = tx.rows(
        "SELECT partner, catalogue, COUNT(*) FROM exchange "
        "WHERE role = 'partner' AND grant_state = 'live' AND catalogue IS NOT NULL "
        "GROUP BY partner, catalogue ORDER BY partner, catalogue DESC"
    )
    return [(partner, catalogue, count) for partner, catalogue, count in found]


def highest_known(tx: Tx) -> int:
    """The highest version that the primary of a live grant knows; higher than any here where a restore lost it."""
    found = tx.row(
        "SELECT COALESCE(catalogue, 0) FROM exchange WHERE role = 'partner' AND grant_state = 'live' "
        "ORDER BY COALESCE(catalogue, 0) DESC LIMIT 1"
    )
    return found[0] if found else 0


def knows(tx: Tx, exchange: Exchange, version: int | None) -> None:
    """The primary knows all up to this version, None for nothing of the server identity information."""
    tx.execute(
        "UPDATE exchange SET catalogue = :catalogue "
        "WHERE primary_system = :primary AND id = :id AND version = :version",
        {
            "primary": exchange.primary_system,
            "id": exchange.id,
            "version": exchange.version,
            "catalogue": version,
        },
    )


def to_remind(tx: Tx, now: int, limit: int) -> list[Exchange]:
    """Those that wait for a person and of which somebody is to be reminded now."""
    return _rows(
        tx.rows(
            f"{_SELECT} WHERE state IN ('pending', 'more_information', 'awaiting_release') AND remind_at <= :now "
            "ORDER BY remind_at LIMIT :limit",
            {"now": now, "limit": limit},
        )
    )


def remind_again(tx: Tx, exchange: Exchange, at: int | None) -> bool:
    """Its version stays: nobody's review is stale because somebody was reminded. False where it has changed."""
    return (
        tx.execute(
            "UPDATE exchange SET remind_at = :at "
            "WHERE primary_system = :primary AND id = :id AND version = :version AND remind_at = :was",
            {
                "primary": exchange.primary_system,
                "id": exchange.id,
                "version": exchange.version,
                "was": exchange.remind_at,
                "at": at,
            },
        )
        == 1
    )


def page(
    tx: Tx,
    *,
    asker: str | None,
    before: int | None,
    limit: int,
    state: str | None = None,
    partner: str | None = None,
) -> list[Exchange]:
    """Newest first, those before the serial `before`; of one asker at the primary, in one state, with one partner."""
    where = ["serial < :before" if before else "serial > 0"]
    if asker is not None:
        where.append("role = 'primary' AND asker = :asker")
    if state is not None:
        where.append("state = :state")
    if partner is not None:
        where.append("partner = :partner")
    return _rows(
        tx.rows(
            f"{_SELECT} WHERE {' AND '.join(where)} ORDER BY serial DESC LIMIT :limit",
            {"before": before, "asker": asker, "state": state, "partner": partner, "limit": limit},
        )
    )


def to_fetch(tx: Tx, asker: str, *, after: int, limit: int) -> list[Exchange]:
    """The answered exchanges of one asker, oldest first, those after the serial `after`."""
    return _rows(
        tx.rows(
            f"{_SELECT} WHERE asker = :asker AND state = 'answered' AND serial > :after ORDER BY serial LIMIT :limit",
            {"asker": asker, "after": after, "limit": limit},
        )
    )


def to_decide(tx: Tx, *, after: int, limit: int) -> list[Exchange]:
    """The requests of partners that nobody has decided, oldest first, those after the serial `after`."""
    pending = _in_state(tx, State.PENDING, "partner", after, limit)
    asked_back = _in_state(tx, State.MORE_INFORMATION, "partner", after, limit)
    return sorted((*pending, *asked_back), key=lambda exchange: exchange.serial or 0)[:limit]


def to_release(tx: Tx, *, after: int, limit: int) -> list[Exchange]:
    """The requests of our own users that nobody has released yet, oldest first, those after the serial `after`."""
    return _in_state(tx, State.AWAITING_RELEASE, "primary", after, limit)


def to_answer(tx: Tx, asker: str, *, after: int, limit: int) -> list[Exchange]:
    """The exchanges of one asker that the partner has a question about, oldest first, after the serial `after`."""
    return _in_state(tx, State.MORE_INFORMATION, "primary", after, limit, asker)


def _in_state(
    tx: Tx, state: State, role: Role, after: int, limit: int, asker: str | None = None
) -> list[Exchange]:
    of_asker = "AND asker || '' = :asker " if asker is not None else ""
    return _rows(
        tx.rows(
            f"{_SELECT} WHERE state = :state AND role = :role {of_asker}AND serial > :after "
            "ORDER BY serial LIMIT :limit",
            {"state": state, "role": role, "asker": asker, "after": after, "limit": limit},
        )
    )


def so_many_wait(tx: Tx, partner: str, count: int) -> bool:
    """Whether so many requests of this partner, or more, are undecided."""
    found = tx.row(
        "SELECT 1 FROM exchange WHERE partner = :partner AND role = 'partner' "
        "AND state IN ('pending', 'more_information') LIMIT 1 OFFSET :count - 1",
        {"partner": partner, "count": count},
    )
    return found is not None
