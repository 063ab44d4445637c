"""The exchanges of which this system and a partner compare what they hold, a page at a time."""

from itertools import islice
from typing import Any, Final

from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges
from acmx.storage.exchange.exchanges import Exchange

FEW: Final = 5_000
"""So many that have ended since are put in order for each page; where there are more, all that ever ended are walked
through in order."""

Key = tuple[Any, ...]
_TOLD = (
    "partner = :partner AND state NOT IN ('awaiting_release', 'queued', 'refused_here', 'refused_by_partner')"
)


def page(tx: Tx, partner: str, *, since: int, after: Key, upto: Key | None, limit: int) -> list[Exchange]:
    """What both systems have to know of: open, with a live grant, or ended after `since` (milliseconds).

    In the order of the key (primary system, id), those after `after` and up to `upto`. What did not
    leave yet, or was refused, is this system's alone.
    """
    ended = _few_ended(tx, partner, since)
    if ended is None:
        ended = _in_order(tx, partner, "ended_at IS NOT NULL AND ended_at + 0 > :since", since, after, limit)
    still_open = _in_order(tx, partner, "ended_at IS NULL", since, after, limit)
    keys = (key for key in sorted([*still_open, *ended]) if key > after and (upto is None or key <= upto))
    found = (exchanges.find(tx, *key) for key in islice(keys, limit))
    return [exchange for exchange in found if exchange]


def _few_ended(tx: Tx, partner: str, since: int) -> list[Key] | None:
    """In any order; None where there are more."""
    found = tx.rows(
        f"SELECT primary_system, id FROM exchange WHERE {_TOLD} AND ended_at > :since LIMIT :few + 1",  # noqa: S608
        {"partner": partner, "since": since, "few": FEW},
    )
    return found if len(found) <= FEW else None


def _in_order(tx: Tx, partner: str, which: str, since: int, after: Key, limit: int) -> list[Key]:
    """`ended_at + 0` keeps the engine from sorting for each page all that has ended since."""
    return tx.rows(
        f"SELECT primary_system, id FROM exchange WHERE {_TOLD} AND {which} "  # noqa: S608
        "AND (primary_system, id) > (:primary, :id) ORDER BY primary_system, id LIMIT :limit",
        {"partner": partner, "since": since, "primary": after[0], "id": after[1], "limit": limit},
    )
