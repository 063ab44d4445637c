"""A clock in doubt: nothing is decided by time alone until an operator confirms it, or it agrees with what it was.

Then all that was put off by the wrong time is due. Why it is as it is: docs/decisions/0022-clocks.md.
"""

from collections.abc import Sequence

import msgspec

from acmx.domain.acm1 import ClockStanding
from acmx.domain.moments import from_ms, to_ms
from acmx.flows.house import House
from acmx.storage import accounts, clock_holds, deliveries, journal, provisionings
from acmx.storage.clock_holds import ClockHold, ClockRight
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges, outbox
from acmx.storage.partnership import partners, terms
from acmx.trust.roles import Caller


def doubted(house: House, tx: Tx) -> bool:
    """Whether time alone may decide nothing now."""
    return not house.sure_of_clock() or bool(clock_holds.every(tx))


def hold(tx: Tx, found: ClockHold) -> None:
    """A hold of this clock that is there already stays as it is."""
    if clock_holds.put(tx, msgspec.structs.replace(found, journal_serial=journal.newest(tx))):
        journal.write(tx, found.since, "clock-held", "clock", reason=found.reason)


def agrees(tx: Tx, clock: str, at: int) -> None:
    """The clock agrees with what it was before it jumped. `at` in milliseconds."""
    if lifted := clock_holds.remove(tx, clock):
        journal.write(tx, at, "clock-agrees", "clock", reason=lifted[0].reason)
        _release(tx, lifted, at)


def confirm(house: House, tx: Tx, caller: Caller) -> ClockStanding:
    """The clock is right as it is now. Confirming a clock that nobody doubts changes nothing."""
    if lifted := clock_holds.remove(tx):
        now = to_ms(house.clock())
        journal.write(tx, now, "clock-confirmed", caller.mc_service_id)
        _release(tx, lifted, now)
    return standing(house, tx)


def standing(house: House, tx: Tx) -> ClockStanding:
    held = clock_holds.every(tx)
    return ClockStanding(
        now=house.clock(),
        held_since=from_ms(held[0].since) if held else None,
        reason="; ".join(hold.reason for hold in held) or None,
    )


def _release(tx: Tx, lifted: Sequence[ClockHold], now: int) -> None:
    """What was stored by the wrong time no longer says when something may be done."""
    outbox.send_now(tx, now, partner=None, primary=None, id_=None)
    partners.stated_by(tx, now)
    partners.try_now(tx)
    deliveries.send_now(tx, now)
    provisionings.release(tx)
    provisionings.rows_now(tx)
    terms.spent_nothing_after(tx, now)
    accounts.end_sessions_after(tx, now)
    exchanges.ended_at_latest(tx, min(hold.journal_serial for hold in lifted), now)
    tx.signal(ClockRight())
