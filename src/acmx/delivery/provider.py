"""The OpenID provider, as far as a server needs it: its keys, fetched before they are needed and when one is new.

Keys once fetched are good until the provider publishes others, also while it is away.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import aiohttp
import msgspec

from acmx.delivery.supervisor import Beat
from acmx.domain.errors import IdentityProviderUnavailable, NotAuthenticated
from acmx.trust.code_flow import Tokens
from acmx.trust.jwt import ProviderKey, keys_of
from acmx.trust.openid import Metadata, discovery_address, metadata_of

AGAIN = 10.0
"""Seconds between two looks for a key that is not known: nobody can make us ask more often."""

EVERY = 300.0
WITHIN = 10.0
LONGEST = 1024 * 1024


class Provider:
    """The provider at `issuer`. `steady` gives seconds of a clock that nobody sets."""

    def __init__(self, issuer: str, context: ssl.SSLContext, steady: Callable[[], float]) -> None:
        self._issuer = issuer
        self._context = context
        self._steady = steady
        self._keys: dict[str, ProviderKey] = {}
        self._trouble: str | None = None
        self._looked_at = -AGAIN
        self._looking = asyncio.Lock()

    async def key(self, kid: str) -> ProviderKey:
        """Raises NotAuthenticated where the provider has no such key, IdentityProviderUnavailable."""
        if kid not in self._keys:
            await self._look_for_new_ones()
        if kid in self._keys:
            return self._keys[kid]
        if self._trouble is not None:
            raise IdentityProviderUnavailable(self._trouble)
        raise NotAuthenticated("it is signed by a key that the identity provider does not publish")

    async def keep_fresh(self, beat: Beat) -> None:
        """A key that the provider withdraws is not taken much longer."""
        while True:
            async with self._looking:
                await self._look()
            beat(EVERY + 4 * WITHIN)
            await asyncio.sleep(EVERY)

    async def metadata(self) -> Metadata:
        """What the provider says of itself now. Raises IdentityProviderUnavailable."""
        async with self._asked() as http:
            return metadata_of(self._issuer, await _get(http, discovery_address(self._issuer)))

    async def keys(self) -> dict[str, ProviderKey]:
        """What the provider publishes now. Raises IdentityProviderUnavailable."""
        metadata = await self.metadata()
        async with self._asked() as http:
            return keys_of(await _get(http, metadata.jwks_uri))

    async def tokens(self, metadata: Metadata, form: Mapping[str, str | None]) -> Tokens:
        """Raises NotAuthenticated where the provider refuses, IdentityProviderUnavailable."""
        given = {name: value for name, value in form.items() if value is not None}
        async with (
            self._asked() as http,
            http.post(metadata.token_endpoint, data=given, allow_redirects=False) as reply,
        ):
            if 400 <= reply.status < 500:
                raise NotAuthenticated(f"the identity provider answered with HTTP status {reply.status}")
            return msgspec.json.decode(await _body(reply), type=Tokens)

    @asynccontextmanager
    async def _asked(self) -> AsyncIterator[aiohttp.ClientSession]:
        timeout = aiohttp.ClientTimeout(total=WITHIN)
        connector = aiohttp.TCPConnector(ssl=self._context)
        try:
            async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
                yield http
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            words = " ".join(f"{type(error).__name__} {error}".split())
            raise IdentityProviderUnavailable(f"{self._issuer}: {words[:200]}") from error

    async def _look_for_new_ones(self) -> None:
        async with self._looking:
            if self._steady() - self._looked_at >= AGAIN:
                await self._look()

    async def _look(self) -> None:
        self._looked_at = self._steady()
        try:
            self._keys = await self.keys()
        except IdentityProviderUnavailable as error:
            self._trouble = error.detail
        else:
            self._trouble = None


async def _get(http: aiohttp.ClientSession, url: str) -> bytes:
    async with http.get(url, allow_redirects=False) as reply:
        return await _body(reply)


async def _body(reply: aiohttp.ClientResponse) -> bytes:
    if reply.status != 200:
        raise ValueError(f"HTTP {reply.status} from {reply.url}")
    body = b""
    async for part in reply.content.iter_any():
        body += part
        if len(body) > LONGEST:
            raise ValueError(f"more than {LONGEST} bytes from {reply.url}")
    return body
