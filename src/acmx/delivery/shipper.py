"""Ships checkpoints to a directory, and looks there for those of a history that the database does not hold."""

import asyncio
from functools import partial
from pathlib import Path

import structlog

from acmx.delivery import shipping
from acmx.flows.carry_out import confirmed
from acmx.flows.evidence import fork, seal
from acmx.flows.evidence.fork import Roots, Shipped
from acmx.flows.house import House
from acmx.storage import seals
from acmx.storage.engine import Store
from acmx.trust.own import Own

LOOKED_AT, KEPT = 32, 1_000
log = structlog.get_logger()


class Shipper:
    """`directory`: None for nowhere. `forked`: what a person has to know of, in plain words; None for nothing."""

    def __init__(self, house: House, store: Store, own: Own, directory: Path | None) -> None:
        self._house = house
        self._store = store
        self._own = own
        self._directory = directory
        self._every = house.checkpoint_every.total_seconds()
        self._shipped = (0, 0.0)
        self._passed: set[str] = set()
        self.forked: str | None = None

    def look_anew(self) -> None:
        """At every file: the database may be another."""
        self._passed.clear()
        self._shipped = (0, 0.0)

    async def ship(self) -> None:
        """Write the newest checkpoint, unless one was written lately. A directory that fails does not stop the rest."""
        if self._directory is not None:
            try:
                await self._ship(self._directory)
            except OSError as error:
                place = str(error.filename or self._directory)
                log.error("a checkpoint could not be written", file=place, error=str(error))  # noqa: TRY400
        self.forked = await self._store.read(fork.standing)

    async def _ship(self, directory: Path) -> None:
        now = self._house.clock().timestamp()
        size, at = self._shipped
        if 0 <= now - at < self._every:
            return
        last = await confirmed(self._store, seals.last_checkpoint)
        if last is None or last.size == size:
            return
        await self._look(directory)
        signed = await self._store.read(partial(seal.signed, system=self._own.system, kept=last))
        await asyncio.to_thread(shipping.write, directory, signed)
        self._shipped = last.size, now

    async def _look(self, directory: Path) -> None:
        """At the files that were not there the last time."""
        found = await asyncio.to_thread(shipping.found, directory, self._own.system, self._passed)
        roots, lost = Roots(), list[Shipped]()
        for i in range(0, len(found), LOOKED_AT):
            lost += await self._store.read(partial(roots.lacking, found=found[i : i + LOOKED_AT]))
        for i in range(0, len(lost), KEPT):
            new = await self._store.write(partial(fork.record, self._house, lost=lost[i : i + KEPT]))
            if new:
                log.error(
                    "the journal is another than the one whose checkpoints were shipped", checkpoints=new
                )
        self._passed.update(one.file for one in found)
