"""Keys and certificates while the server runs: read anew when their files change, or when the server is told to look.

Nothing good is replaced by something broken (law 12): what cannot be used is logged, and what was in use stays.
"""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import structlog

from acmx.bootstrap.own import metadata, own_keys
from acmx.config import Config
from acmx.delivery.supervisor import Beat
from acmx.domain.errors import FaultyInput, Misconfigured
from acmx.domain.moments import Clock, to_ms
from acmx.flows.operations.warn_of_expiry import End
from acmx.flows.partnership import publish_metadata
from acmx.storage.engine import Store
from acmx.storage.partnership import partners
from acmx.trust import key_files, tls
from acmx.trust.certificates import not_after
from acmx.trust.own import Own
from acmx.trust.pairs import Pair, read_pair
from acmx.trust.pinned import Pinned

EVERY = 2.0
WITHIN = 60.0
log = structlog.get_logger()

Stamp = tuple[tuple[str, int, int, int], ...]


class Renewal:
    """The pairs in use, and what is published. `changed()` is called when partners are to hear of it."""

    def __init__(self, directory: Path, config: Config, store: Store, own: Own, clock: Clock) -> None:
        """Raises Misconfigured where a pair cannot be used."""
        self._directory = directory
        self._config = config
        self._store = store
        self._own = own
        self._clock = clock
        self._keys = key_files.load(directory / "keys")
        self._acm1, self._acm2 = self._read("acm1"), self._read("acm2")
        self._own.shown = self._acm2.fingerprint
        self._seen = self._stamp()
        self._look = asyncio.Event()
        self.on_acm1: Callable[[ssl.SSLContext], None] = lambda _: None
        self.on_acm2: Callable[[ssl.SSLContext], None] = lambda _: None
        self.on_published: Callable[[], None] = lambda: None

    def acm1_context(self) -> ssl.SSLContext:
        with self._acm1.as_files() as files:
            return tls.server_context(*files, pinned=None)

    def acm2_context(self) -> ssl.SSLContext:
        """Nobody is pinned in it yet."""
        with self._acm2.as_files() as files:
            return tls.server_context(*files, pinned=())

    def context_to(self, peer: Pinned) -> ssl.SSLContext:
        with self._acm2.as_files() as files:
            return tls.client_context(*files, peer.metadata.certificates)

    def ends(self) -> list[End]:
        """Of the certificates in use."""
        used = [("acm2", self._acm2)]
        if self._config.acm1.tls:
            used.insert(0, ("acm1", self._acm1))
        return [End(f"{face} certificate", not_after(pair.pem)) for face, pair in used]

    def ended(self) -> list[str]:
        """Which of them nobody takes any more."""
        now = self._clock()
        return [f"{end.what} has ended on {end.at:%Y-%m-%d %H:%M} UTC" for end in self.ends() if end.at < now]

    def look_now(self) -> None:
        self._look.set()

    async def keep_looking(self, beat: Beat) -> None:
        """Until cancelled: whenever a file has changed, and when told to."""
        while True:
            beat(WITHIN)
            try:
                async with asyncio.timeout(EVERY):
                    await self._look.wait()
            except TimeoutError:
                if self._stamp() == self._seen:
                    continue
            self._look.clear()
            await self.renew()

    async def renew(self) -> None:
        """Take in what the files hold now, each part by itself."""
        self._seen = self._stamp()
        for part in (self._renew_acm1, self._renew_acm2, self._renew_keys):
            try:
                await part()
            except (Misconfigured, FaultyInput, OSError) as error:
                log.warning("not taken; what was in use stays", error=str(error))
        await self.publish()

    async def publish(self) -> None:
        """What this system says of itself, durable before anybody reads it."""
        try:
            described = metadata(self._directory, self._config, self._keys, self._acm2.pem)
        except (FaultyInput, OSError) as error:
            log.warning("not published; what was published stays", error=str(error))
            return
        now = to_ms(self._clock())
        body = await self._store.write(lambda tx: publish_metadata.publish(tx, described, now))
        keys = own_keys(self._keys)
        if body != self._own.metadata:
            log.info("metadata published", keys=[key.key.kid for key in keys])
        self._own.change(body, keys)
        self.on_published()

    async def _renew_acm1(self) -> None:
        if (found := self._changed(self._acm1, "acm1")) is not None:
            self._acm1 = found
            self.on_acm1(self.acm1_context())
            log.info("certificate renewed", face="acm1", fingerprint=found.fingerprint)

    async def _renew_acm2(self) -> None:
        """Not before every partner has pinned it: who has not would be cut off."""
        if (found := self._changed(self._acm2, "acm2")) is None:
            return
        waits = await self._store.read(lambda tx: partners.without_certificate(tx, found.fingerprint))
        if waits:
            raise Misconfigured(
                f"{found.place} is not confirmed by {', '.join(waits)}; to use it all the same, start anew"
            )
        self._acm2 = found
        self._own.shown = found.fingerprint
        self.on_acm2(self.acm2_context())
        log.info("certificate renewed", face="acm2", fingerprint=found.fingerprint)

    async def _renew_keys(self) -> None:
        self._keys = key_files.load(self._directory / "keys")

    def _changed(self, used: Pair, face: str) -> Pair | None:
        """Raises Misconfigured, FaultyInput."""
        found = self._read(face)
        if found == used:
            return None
        found.require_valid(self._clock())
        return found

    def _read(self, face: str) -> Pair:
        folder = self._directory / "tls"
        return read_pair(folder / f"{face}.pem", folder / f"{face}.key")

    def _stamp(self) -> Stamp:
        """Of every file that matters: name, time, size, and which file it is."""
        paths = [*(self._directory / "tls").glob("acm?*.*"), *(self._directory / "keys").glob("*.pem")]
        found = []
        for path in sorted(path for path in paths if not path.name.startswith(".")):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            found.append((path.name, status.st_mtime_ns, status.st_size, status.st_ino))
        return tuple(found)
