"""Whose certificate was shown: the pinned fingerprints in memory, asked at every request."""

import ssl

from acmx.domain.errors import BadCertificate
from acmx.storage import partners
from acmx.storage.engine import Store
from acmx.trust.pinned import Pinned, pinned
from acmx.trust.tls import pin


class Peers:
    """The partners by the fingerprints of their pinned certificates."""

    def __init__(self, store: Store, context: ssl.SSLContext) -> None:
        self._store = store
        self._context = context
        self._by_fingerprint: dict[str, Pinned] = {}

    async def refresh(self) -> None:
        """Read the partners anew; new certificates are trusted from the next handshake on."""
        known = [pinned(partner.metadata) for partner in await self._store.read(partners.every)]
        found = {fingerprint: partner for partner in known for fingerprint in partner.fingerprints}
        for partner in known:
            if not partner.fingerprints <= self._by_fingerprint.keys():
                for certificate in partner.metadata.certificates:
                    pin(self._context, certificate)
        self._by_fingerprint = found

    def whose(self, fingerprint: str | None) -> Pinned:
        """Raises BadCertificate."""
        try:
            return self._by_fingerprint[fingerprint or ""]
        except KeyError:
            raise BadCertificate from None
