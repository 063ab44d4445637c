"""The clockwork: what falls due by time alone is looked for, and carried out by its flow."""

import asyncio
from functools import partial

import structlog

from acmx.delivery.clock_guard import ClockGuard
from acmx.delivery.supervisor import Beat
from acmx.domain.errors import AcmxError
from acmx.flows import expire
from acmx.flows.carry_out import carry_out
from acmx.flows.house import House
from acmx.storage.engine import Store

EVERY = 1.0
BOUND = 60.0
log = structlog.get_logger()


async def tick(house: House, store: Store) -> int:
    """Carry out what is due now; for how many exchanges that was done. One that fails does not delay the others."""
    done = 0
    for exchange in await store.read(partial(expire.due, house)):
        try:
            await carry_out(store, partial(expire.prepare, house, exchange=exchange), expire.apply)
            done += 1
        except AcmxError as error:
            log.warning("an exchange is due and could not be ended", exchange=exchange.id, error=str(error))
    return done


async def run(house: House, store: Store, guard: ClockGuard, beat: Beat) -> None:
    """Until cancelled. Raises AcmxError and whatever goes wrong: it is to be run again."""
    while True:
        await guard.look()
        done = await tick(house, store)
        beat(BOUND)
        if not done:
            await asyncio.sleep(EVERY)
