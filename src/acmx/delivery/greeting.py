"""The greeting: both systems say where the partnership stands on their side, and show each other what time it is."""

from acmx.delivery.wire import Wire
from acmx.domain.moments import Clock, to_ms
from acmx.domain.partnership import Statement
from acmx.flows.house import House
from acmx.flows.partnership import state_partnership
from acmx.storage.partnership.partners import Partner
from acmx.trust.own import Own


async def greet(house: House, own: Own, wire: Wire, partner: Partner, turn: int = 0) -> tuple[Statement, int]:
    """Their word, and how far ahead its clock is (milliseconds). `turn` as in `Own.sign`. Raises LinkDown."""
    began = house.clock()
    ours = state_partnership.statement(
        house, wire.peer, began, partner.state_here, own.metadata_digest, partner.reason_here
    )
    theirs = await wire.state(ours, turn)
    midway = began + (house.clock() - began) / 2
    return theirs, to_ms(theirs.created_at) - to_ms(midway)


async def ask_time(clock: Clock, to: Wire) -> int:
    """How far the partner's clock is ahead of ours (milliseconds), however far. Raises LinkDown."""
    async with to as wire:
        theirs = await wire.time()
        return theirs * 1000 - to_ms(clock())
