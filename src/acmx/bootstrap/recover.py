"""`acmx account recover`: one operator may give roles again, on the word of who may write to the server's directory."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from acmx import config
from acmx.bootstrap.database import open_store
from acmx.bootstrap.lock import hold
from acmx.bootstrap.new_directory import CONFIG
from acmx.config import Config
from acmx.domain.moments import to_ms
from acmx.flows.house import House
from acmx.flows.people import account_changes
from acmx.flows.reconciliation import take_in_history


def recover(directory: Path) -> None:
    """Journalled as done by `operator`. Raises DirectoryInUse, Misconfigured, TemporarilyUnavailable."""
    chosen = config.read(directory / CONFIG)
    with hold(directory):
        asyncio.run(_lower(directory, chosen))


async def _lower(directory: Path, chosen: Config) -> None:
    """A failed fsync is told by the refusal that follows."""
    at = to_ms(datetime.now(UTC))
    store = open_store(directory, chosen, lambda _: None)
    house = House(chosen.system, chosen.realms, lambda: datetime.now(UTC))
    store.on_new_history(partial(take_in_history.apply, house))
    try:
        await store.write(lambda tx: account_changes.put_approvals(tx, at, "operator", 1))
    finally:
        await store.close()
