"""Operators are told before certificates and keys end, this system's and its partners': once for each of DAYS."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from msgspec import Struct

from acmx.domain.acm1 import Finding
from acmx.domain.findings import days_left
from acmx.domain.moments import to_ms
from acmx.domain.telling import EXPIRY
from acmx.flows.house import House
from acmx.storage import journal, notices
from acmx.storage.engine import Tx
from acmx.storage.partnership import partners
from acmx.trust.certificates import not_after
from acmx.trust.pinned import pinned

DAYS = (30, 14, 7, 1)


class End(Struct, frozen=True):
    """Something that ends, unless it is renewed."""

    what: str
    at: datetime


def of_partners(tx: Tx) -> list[End]:
    """The last certificate of each partner that we accept, and its last key where all have an end."""
    return [end for partner in partners.every(tx) for end in _ends(partner.id, partner.metadata)]


def findings(ends: Iterable[End], now: datetime) -> list[Finding]:
    return [days_left(end.what, end.at, now) for end in ends]


def warn(house: House, tx: Tx, own: list[End]) -> list[Finding]:
    """Tell operators of what ends soon and they were not told of yet; all that ends soon or has ended."""
    now = house.clock()
    ends = [*own, *of_partners(tx)]
    for end in ends:
        left = (end.at - now).days
        due = [days for days in DAYS if left < days]
        subject = f"{end.what} until {end.at:%Y-%m-%d %H:%M} UTC"
        if due and notices.put_for_operators(tx, to_ms(now), house.system, subject, EXPIRY, min(due)):
            journal.write(tx, to_ms(now), "expiry-near", "clock", what=end.what, ends_at=end.at, days=left)
    return [finding for finding in findings(ends, now) if finding.status != "ok"]


@lru_cache(maxsize=1024)
def _ends(system: str, metadata: bytes) -> tuple[End, ...]:
    peer = pinned(metadata)
    ends = [End(f"certificate of {system}", max(map(not_after, peer.metadata.certificates)))]
    key_ends = [key.ends for key in peer.keys.values()]
    lasting = [seconds for seconds in key_ends if seconds is not None]
    if len(lasting) == len(key_ends):
        ends.append(End(f"keys of {system}", datetime.fromtimestamp(max(lasting), UTC)))
    return tuple(ends)
