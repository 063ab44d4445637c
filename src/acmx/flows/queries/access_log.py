"""Who looked into an exchange: one row of the journal for each person, exchange and day (UTC)."""

from acmx.domain.moments import to_ms
from acmx.flows.exchange.find import find
from acmx.flows.house import House
from acmx.storage import journal
from acmx.storage.engine import Tx
from acmx.trust.roles import Caller

OPENED, LISTED, TAKEN = "opened", "seen-pending", "evidence-taken"
LOOKS = (OPENED, LISTED, TAKEN)
"""Who looked is for auditors: it is no part of what happened to the exchange."""
DAY = 24 * 60 * 60 * 1000


def prepare(house: House, tx: Tx, caller: Caller, name: str) -> tuple[str, str] | None:
    """The exchange that is opened, or None where that is journalled for today. Raises NotFound."""
    exchange = find(tx, caller, name)
    key = (exchange.primary_system, exchange.id)
    return None if _noted(house, tx, caller, key) else key


def apply(house: House, tx: Tx, caller: Caller, key: tuple[str, str]) -> None:
    if not _noted(house, tx, caller, key):
        primary, id_ = key
        journal.write(tx, to_ms(house.clock()), OPENED, caller.mc_service_id, primary=primary, id_=id_)


def _noted(house: House, tx: Tx, caller: Caller, key: tuple[str, str]) -> bool:
    now = to_ms(house.clock())
    return journal.has(tx, *key, OPENED, caller.mc_service_id, since=now - now % DAY)
