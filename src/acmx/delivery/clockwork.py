"""The clockwork: what falls due by time alone is looked for, and carried out by its flow."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog

from acmx.delivery.clock_guard import ClockGuard
from acmx.delivery.supervisor import Beat
from acmx.domain.errors import AcmxError
from acmx.flows import expire, give_up, remind, reprovision, update
from acmx.flows.carry_out import carry_out
from acmx.flows.house import House
from acmx.storage.engine import Store, Tx

EVERY = 1.0
BOUND = 60.0
log = structlog.get_logger()


async def tick(house: House, store: Store) -> int:
    """Carry out what is due now; how often that was done. One that fails does not delay the others."""
    return (
        await _each(store, partial(expire.due, house), partial(expire.prepare, house), expire.apply)
        + await _each(store, partial(remind.due, house), partial(remind.prepare, house), remind.apply)
        + await _each(store, partial(give_up.due, house), partial(give_up.prepare, house), give_up.apply)
        + await _each(store, partial(update.due, house), partial(update.prepare, house), update.apply)
        + await _each(
            store, partial(reprovision.due, house), partial(reprovision.prepare, house), reprovision.apply
        )
    )


async def _each(
    store: Store,
    due: Callable[[Tx], list[Any]],
    prepare: Callable[[Tx, Any], Any],
    apply: Callable[[Tx, Any], None],
) -> int:
    done = 0
    for found in await store.read(due):
        try:
            await carry_out(store, lambda tx, found=found: prepare(tx, found), apply)  # type: ignore[misc]
            done += 1
        except AcmxError as error:
            log.warning("what is due could not be carried out", exchange=found.id, error=str(error))
    return done


async def run(house: House, store: Store, guard: ClockGuard, beat: Beat) -> None:
    """Until cancelled. Raises AcmxError and whatever goes wrong: it is to be run again."""
    while True:
        await guard.look()
        done = await tick(house, store) if store.in_charge else 0
        beat(BOUND)
        if not done:
            await asyncio.sleep(EVERY)
