"""Every hour: what ends soon is shown, and operators are told of it."""

import asyncio

from acmx.bootstrap.renewal import Renewal
from acmx.bootstrap.vitals import Vitals
from acmx.delivery.supervisor import Beat
from acmx.flows.house import House
from acmx.flows.operations import warn_of_expiry
from acmx.storage.engine import Store

EVERY = 3600.0


async def watch_ends(house: House, store: Store, renewal: Renewal, vitals: Vitals, beat: Beat) -> None:
    """Until cancelled."""
    while True:
        vitals.expiring = await store.write(lambda tx: warn_of_expiry.warn(house, tx, renewal.ends()))
        beat(2 * EVERY)
        await asyncio.sleep(EVERY)
