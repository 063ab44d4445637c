"""The sealer: woken by commits, it seals what the journal has got, and ships checkpoints to a directory."""

import asyncio
import os
import tempfile
from collections.abc import Hashable
from functools import partial
from pathlib import Path

import structlog

from acmx.delivery.supervisor import Beat
from acmx.domain.documents import encode
from acmx.domain.records import SignedCheckpoint
from acmx.flows import seal
from acmx.flows.house import House
from acmx.storage import seals
from acmx.storage.engine import InCharge, Missed, Store
from acmx.storage.journal import Journalled
from acmx.trust.keys import sync
from acmx.trust.own import Own

GATHERED = 0.4
"""Seconds: what is committed meanwhile is sealed in one go."""
LOOK_EVERY = 30.0
BOUND = 60.0
log = structlog.get_logger()


class Sealer:
    """`directory`: where checkpoints are written for others to take away; None for nowhere."""

    def __init__(self, house: House, store: Store, own: Own, directory: Path | None) -> None:
        self._house = house
        self._store = store
        self._own = own
        self._directory = directory
        self._every = house.checkpoint_every.total_seconds()
        self._shipped = (0, 0.0)
        self._wake = asyncio.Event()

    def hear(self, signals: frozenset[Hashable]) -> None:
        if any(isinstance(signal, Journalled | InCharge | Missed) for signal in signals):
            self._wake.set()

    async def run(self, beat: Beat) -> None:
        """Until cancelled. Raises AcmxError and whatever goes wrong: it is to be run again."""
        while True:
            self._wake.clear()
            if self._store.in_charge:
                await self.seal()
            await self.ship()
            beat(BOUND)
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await self._wake.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(GATHERED)

    async def seal(self) -> None:
        await seal.seal(self._house, self._store, self._own)

    async def ship(self) -> None:
        """Write the newest checkpoint, unless one was written lately. A directory that fails does not stop the rest."""
        now = self._house.clock().timestamp()
        size, at = self._shipped
        if self._directory is None or 0 <= now - at < self._every:
            return
        last = await self._store.read(seals.last_checkpoint)
        if last is None or last.size == size:
            return
        signed = await self._store.read(partial(seal.signed, system=self._own.system, kept=last))
        path = self._directory / f"checkpoint-{last.size:012d}.json"
        try:
            await asyncio.to_thread(write, path, signed)
        except OSError as error:
            log.error("a checkpoint could not be written", file=str(path), error=str(error))  # noqa: TRY400
            return
        self._shipped = last.size, now


def write(path: Path, signed: SignedCheckpoint) -> None:
    """Whole, durable, or not at all. Raises OSError."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(encode(signed))
            file.flush()
            os.fsync(descriptor)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    sync(path.parent)
