"""The sealer: woken by commits, it seals what the journal has got, and has checkpoints shipped."""

import asyncio
from collections.abc import Hashable
from pathlib import Path

from acmx.delivery.shipper import Shipper
from acmx.delivery.supervisor import Beat
from acmx.flows.evidence import seal
from acmx.flows.house import House
from acmx.storage.engine import InCharge, Missed, Store
from acmx.storage.journal import Journalled
from acmx.trust.own import Own

GATHERED = 0.4
"""Seconds: what is committed meanwhile is sealed in one go."""
LOOK_EVERY = 30.0
BOUND = 60.0


class Sealer:
    """`directory`: where checkpoints are written for others to take away; None for nowhere."""

    def __init__(self, house: House, store: Store, own: Own, directory: Path | None) -> None:
        self._house = house
        self._store = store
        self._own = own
        self.shipper = Shipper(house, store, own, directory)
        self._wake = asyncio.Event()

    def hear(self, signals: frozenset[Hashable]) -> None:
        if any(isinstance(signal, Journalled | InCharge | Missed) for signal in signals):
            self._wake.set()
        if Missed() in signals:
            self.shipper.look_anew()

    async def run(self, beat: Beat) -> None:
        """Until cancelled. Raises AcmxError and whatever goes wrong: it is to be run again."""
        while True:
            self._wake.clear()
            if self._store.in_charge:
                await self.seal()
            await self.shipper.ship()
            beat(BOUND)
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await self._wake.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(GATHERED)

    async def seal(self) -> None:
        await seal.seal(self._house, self._store, self._own)
