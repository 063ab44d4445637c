"""A clock that has jumped: nothing is decided by time alone until an operator confirms it."""

from acmx.domain.acm1 import ClockStanding
from acmx.domain.moments import from_ms, to_ms
from acmx.flows.house import House
from acmx.storage import clock_holds, journal
from acmx.storage.clock_holds import ClockHold
from acmx.storage.engine import Tx
from acmx.trust.roles import Caller


def hold(tx: Tx, at: int, reason: str) -> None:
    """`at` in milliseconds, by the clock in doubt. A hold that is there already stays as it is."""
    if clock_holds.find(tx) is None:
        clock_holds.put(tx, ClockHold(at, reason))
        journal.write(tx, at, "clock-held", "clock", reason=reason)


def confirm(house: House, tx: Tx, caller: Caller) -> ClockStanding:
    """The clock is right as it is now. Confirming a clock that nobody doubts changes nothing."""
    if clock_holds.remove(tx):
        journal.write(tx, to_ms(house.clock()), "clock-confirmed", caller.mc_service_id)
    return standing(house, tx)


def standing(house: House, tx: Tx) -> ClockStanding:
    held = clock_holds.find(tx)
    return ClockStanding(
        now=house.clock(),
        held_since=from_ms(held.since) if held else None,
        reason=held.reason if held else None,
    )
