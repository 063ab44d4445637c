"""The links to all partners, each a loop of its own: one failing partner never delays another."""

import asyncio
from collections.abc import Callable, Hashable

from acmx.delivery.link import Link
from acmx.delivery.supervisor import Supervisor
from acmx.storage.clock_holds import ClockRight
from acmx.storage.engine import Store
from acmx.storage.exchange.outbox import Outgoing
from acmx.storage.partnership import partners
from acmx.storage.partnership.partners import PartnerChanged


class Links:
    """Keeps a link running to every partner."""

    def __init__(self, store: Store, supervisor: Supervisor, link_to: Callable[[str], Link]) -> None:
        self._store = store
        self._supervisor = supervisor
        self._link_to = link_to
        self._links: dict[str, Link] = {}

    async def start(self) -> None:
        """Greet every partner at once, however long its link was to rest."""
        await self._store.write(partners.try_now)
        await self.meet_all()

    async def meet_all(self) -> None:
        """Keep a link to every partner there is, whatever it remembers of its lease, and wake it."""
        for partner in await self._store.read(partners.every):
            self._begin(partner.id)
            self._links[partner.id].lease_anew()

    async def finish(self, grace: float) -> None:
        """Begin no delivery any more, and give those under way so many seconds."""
        await asyncio.gather(*(link.finish(grace) for link in self._links.values()))

    def hear(self, signals: frozenset[Hashable]) -> None:
        """Commits that concern a partner wake its link."""
        for signal in signals:
            if isinstance(signal, Outgoing) and signal.partner in self._links:
                self._links[signal.partner].wake()
            elif isinstance(signal, PartnerChanged):
                self._begin(signal.id)
                self._links[signal.id].wake()
            elif isinstance(signal, ClockRight):
                for link in self._links.values():
                    link.begin_anew()

    def wake(self) -> None:
        """What this system says of itself, or the certificate it shows, has changed."""
        for link in self._links.values():
            link.wake()

    def _begin(self, partner: str) -> None:
        if partner not in self._links:
            self._links[partner] = link = self._link_to(partner)
            self._supervisor.keep("delivery", link.run, of=partner)
