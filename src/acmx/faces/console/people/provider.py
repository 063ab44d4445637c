"""The OpenID provider, as signing in at the console needs it."""

from collections.abc import Mapping
from typing import Protocol

from acmx.trust.code_flow import Tokens
from acmx.trust.jwt import ProviderKey
from acmx.trust.openid import Metadata


class Provider(Protocol):
    """Each raises IdentityProviderUnavailable."""

    async def metadata(self) -> Metadata:
        """What the provider says of itself now."""

    async def tokens(self, metadata: Metadata, form: Mapping[str, str | None]) -> Tokens:
        """Raises NotAuthenticated where the provider refuses."""

    async def key(self, kid: str) -> ProviderKey:
        """Raises NotAuthenticated where the provider has no such key."""
