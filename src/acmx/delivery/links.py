"""The links to all partners, each in a task of its own: one failing partner never delays another."""

import asyncio
from collections.abc import Callable, Hashable

import structlog

from acmx.delivery.link import Link
from acmx.storage import partners
from acmx.storage.engine import Store
from acmx.storage.outbox import Outgoing
from acmx.storage.partners import PartnerChanged

AGAIN = 5.0
log = structlog.get_logger()


class Links:
    """Keeps a link running to every partner; a link that breaks is begun again."""

    def __init__(self, store: Store, link_to: Callable[[str], Link]) -> None:
        self._store = store
        self._link_to = link_to
        self._links: dict[str, Link] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Greet every partner at once, however long its link was to rest."""
        await self._store.write(partners.try_now)
        for partner in await self._store.read(partners.every):
            self._begin(partner.id)

    async def stop(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def hear(self, signals: frozenset[Hashable]) -> None:
        """Commits that concern a partner wake its link."""
        for signal in signals:
            if isinstance(signal, Outgoing) and signal.partner in self._links:
                self._links[signal.partner].wake()
            elif isinstance(signal, PartnerChanged):
                self._begin(signal.id)
                self._links[signal.id].wake()

    def _begin(self, partner: str) -> None:
        if partner not in self._links:
            self._links[partner] = self._link_to(partner)
            self._tasks[partner] = asyncio.create_task(self._keep(self._links[partner], partner))

    async def _keep(self, link: Link, partner: str) -> None:
        while True:
            try:
                await link.run()
            except Exception:
                log.exception("the link broke and is begun again", partner=partner)
                await asyncio.sleep(AGAIN)
