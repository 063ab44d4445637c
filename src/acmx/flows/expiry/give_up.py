"""What could not be delivered 90 days after its exchange ended is given up, and those concerned are told (law 7)."""

from msgspec import Struct

from acmx.domain.exchange import Event, transition
from acmx.domain.moments import to_ms
from acmx.flows.exchange.change import move
from acmx.flows.house import House
from acmx.flows.operations import suspend_expiry
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges, outbox
from acmx.storage.exchange.outbox import Queued

AT_ONCE = 50


class Plan(Struct, frozen=True):
    """A message to be given up. `at` in milliseconds."""

    queued: Queued
    at: int


def due(house: House, tx: Tx) -> list[Queued]:
    """None while the clock is in doubt."""
    if suspend_expiry.doubted(house, tx):
        return []
    return outbox.to_give_up(tx, to_ms(house.clock()), AT_ONCE)


def prepare(house: House, _tx: Tx, queued: Queued) -> Plan:
    return Plan(queued, to_ms(house.clock()))


def apply(tx: Tx, plan: Plan) -> None:
    """The message stays in the outbox, to be seen; it is not sent any more."""
    queued = plan.queued
    exchange = exchanges.find(tx, queued.primary_system, queued.id)
    if not outbox.give_up(tx, queued, plan.at) or exchange is None:
        return
    if transition(exchange.role, exchange.state, Event.UNDELIVERABLE) is not None:
        detail: dict[str, object] = {"message": queued.type, "error": queued.last_error}
        move(tx, exchange, Event.UNDELIVERABLE, "clock", plan.at, detail=detail)
