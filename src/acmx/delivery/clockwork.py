"""The clockwork: what falls due by time alone is looked for, and carried out by its flow."""

import asyncio
from functools import partial
from typing import Any, Final, Protocol

import structlog

from acmx.delivery.clock_guard import ClockGuard
from acmx.delivery.supervisor import Beat
from acmx.domain.errors import AcmxError
from acmx.flows.carry_out import carry_out
from acmx.flows.exchange import remind, update
from acmx.flows.expiry import expire, give_up
from acmx.flows.house import House
from acmx.flows.people.refusals import Refusals
from acmx.flows.provisioning import reprovision
from acmx.storage.engine import Store, Tx

EVERY = 1.0
BOUND = 60.0
log = structlog.get_logger()


class _Flow(Protocol):
    def due(self, house: House, tx: Tx, /) -> list[Any]: ...
    def prepare(self, house: House, tx: Tx, found: Any, /) -> Any: ...
    def apply(self, tx: Tx, plan: Any, /) -> None: ...


_FLOWS: Final[tuple[_Flow, ...]] = (expire, remind, give_up, update, reprovision)


async def tick(house: House, store: Store) -> int:
    """Carry out what is due now; how often that was done. One that fails does not delay the others."""
    done = 0
    for flow, found in await store.read(partial(_due, house)):
        try:
            await carry_out(store, lambda tx, f=flow, found=found: f.prepare(house, tx, found), flow.apply)  # type: ignore[misc]
            done += 1
        except AcmxError as error:
            log.warning("what is due could not be carried out", exchange=found.id, error=str(error))
    return done


def _due(house: House, tx: Tx) -> list[tuple[_Flow, Any]]:
    return [(flow, found) for flow in _FLOWS for found in flow.due(house, tx)]


async def run(house: House, store: Store, guard: ClockGuard, beat: Beat) -> None:
    """Until cancelled. Raises AcmxError and whatever goes wrong: it is to be run again."""
    while True:
        await guard.look()
        done = await tick(house, store) if store.in_charge else 0
        beat(BOUND)
        if not done:
            await asyncio.sleep(EVERY)


async def count_refusals(refusals: Refusals, beat: Beat) -> None:
    """Until cancelled: a flood that has ended is written down too."""
    while True:
        await refusals.write_counts()
        beat(BOUND)
        await asyncio.sleep(EVERY)
