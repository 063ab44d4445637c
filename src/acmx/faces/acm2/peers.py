"""Whose certificate was shown: the pinned fingerprints in memory, asked at every request."""

import asyncio
import ssl
from collections.abc import Callable

from acmx.domain.errors import BadCertificate
from acmx.storage.engine import Store
from acmx.storage.partnership import partners
from acmx.trust.pinned import Pinned, pinned
from acmx.trust.tls import pin

EVERY = 60.0


class Peers:
    """The partners by the fingerprints of their pinned certificates; without those that were removed."""

    def __init__(
        self, store: Store, context: ssl.SSLContext, on_gone: Callable[[frozenset[str]], None]
    ) -> None:
        """`on_gone` is told the fingerprints that are admitted no longer."""
        self._store = store
        self._context = context
        self._on_gone = on_gone
        self._by_fingerprint: dict[str, Pinned] = {}
        self._changed = asyncio.Event()

    def use(self, context: ssl.SSLContext) -> None:
        """Keep the pins of this context from now on; those known are pinned in it at once."""
        for partner in self._by_fingerprint.values():
            for certificate in partner.metadata.certificates:
                pin(context, certificate)
        self._context = context

    def hear_of_change(self) -> None:
        self._changed.set()

    async def keep_fresh(self, beat: Callable[[float], None]) -> None:
        """Read the partners anew whenever one has changed, and now and then in case another process changed one."""
        while True:
            self._changed.clear()
            await self.refresh()
            beat(2 * EVERY)
            try:
                async with asyncio.timeout(EVERY):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def refresh(self) -> None:
        """Read the partners anew; new certificates are trusted from the next handshake on."""
        stored = await self._store.read(partners.every)
        known = [pinned(partner.metadata) for partner in stored if partner.state_here != "removed"]
        found = {fingerprint: partner for partner in known for fingerprint in partner.fingerprints}
        for partner in known:
            if not partner.fingerprints <= self._by_fingerprint.keys():
                for certificate in partner.metadata.certificates:
                    pin(self._context, certificate)
        gone = self._by_fingerprint.keys() - found.keys()
        self._by_fingerprint = found
        if gone:
            self._on_gone(frozenset(gone))

    def whose(self, fingerprint: str | None) -> Pinned:
        """Raises BadCertificate."""
        try:
            return self._by_fingerprint[fingerprint or ""]
        except KeyError:
            raise BadCertificate from None
