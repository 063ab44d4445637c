"""Carrying out a flow: prepare on a snapshot, apply in the writer, and again if the plan went stale."""

from collections.abc import Callable
from typing import TypeVar

from acmx.domain.errors import TemporarilyUnavailable
from acmx.storage.engine import Store, Tx

P = TypeVar("P")
R = TypeVar("R")
TRIES = 3


class StaleError(Exception):
    """The plan no longer fits what is stored."""


async def carry_out(store: Store, prepare: Callable[[Tx], P], apply: Callable[[Tx, P], R]) -> R:
    """The result of `apply`, durable. Raises what the flow raises, and TemporarilyUnavailable."""
    for _ in range(TRIES):
        plan = await store.read(prepare)
        try:
            return await store.write(lambda tx, plan=plan: apply(tx, plan))  # type: ignore[misc]
        except StaleError:
            continue
    raise TemporarilyUnavailable("the exchange keeps changing; try again")
