"""Carrying out a flow: prepare on a snapshot, apply in the writer, and again if the plan went stale."""

from collections.abc import Callable
from typing import TypeVar

from acmx.domain.errors import AcmxError, TemporarilyUnavailable
from acmx.storage.engine import Store, Tx

P = TypeVar("P")
R = TypeVar("R")
TRIES = 3


class StaleError(Exception):
    """The plan no longer fits what is stored."""


async def confirmed(store: Store, look: Callable[[Tx], R]) -> R:
    """What `look` saw or raised, once it is as durable as an acknowledgement. Raises TemporarilyUnavailable too.

    A COMMIT that broke off its wait for a standby is seen before it is confirmed; every later one confirms it.
    """
    try:
        return await store.read(look)
    finally:
        await store.write(lambda _tx: None)


async def carry_out(store: Store, prepare: Callable[[Tx], P], apply: Callable[[Tx, P], R]) -> R:
    """The result of `apply`, durable. Raises what the flow raises, and TemporarilyUnavailable."""
    for _ in range(TRIES):
        try:
            plan = await store.read(prepare)
        except AcmxError:
            await store.write(lambda _tx: None)
            raise
        try:
            return await store.write(lambda tx, plan=plan: apply(tx, plan))  # type: ignore[misc]
        except StaleError:
            continue
    raise TemporarilyUnavailable("the exchange keeps changing; try again")
