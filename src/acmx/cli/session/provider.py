"""HTTPS to the OpenID provider of an ACM server, as `acmx login` needs it."""

import ssl
from typing import Any
from urllib.parse import urlencode

import msgspec
from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3.exceptions import HTTPError

from acmx.client.certificate import CONNECT_SECONDS
from acmx.domain.errors import IdentityProviderUnavailable, NotAuthenticated
from acmx.trust.code_flow import Tokens
from acmx.trust.jwt import ProviderKey, keys_of
from acmx.trust.openid import Metadata, discovery_address, metadata_of

READ_SECONDS = 30.0
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Provider:
    """The provider at `issuer`; `authority` (PEM) is the certification authority to take instead of the system's."""

    def __init__(self, issuer: str, authority: str | None) -> None:
        """Raises IdentityProviderUnavailable."""
        self._pool = PoolManager(
            ssl_context=ssl.create_default_context(cadata=authority),
            timeout=Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            retries=False,
        )
        self.metadata: Metadata = metadata_of(issuer, self._given("GET", discovery_address(issuer)))

    def keys(self) -> dict[str, ProviderKey]:
        """Raises IdentityProviderUnavailable."""
        try:
            return keys_of(self._given("GET", self.metadata.jwks_uri))
        except ValueError as error:
            raise IdentityProviderUnavailable(f"{self.metadata.issuer}: {error}") from error

    def tokens(self, **form: str | None) -> Tokens:
        """Raises NotAuthenticated where the provider refuses, IdentityProviderUnavailable."""
        reply = self._given("POST", self.metadata.token_endpoint, form)
        try:
            return msgspec.json.decode(reply, type=Tokens)
        except ValueError as error:
            raise IdentityProviderUnavailable(f"{self.metadata.issuer}: {error}") from error

    def revoke(self, token: str, client_id: str) -> None:
        """As far as the provider offers it (RFC 7009). Raises NotAuthenticated, IdentityProviderUnavailable."""
        if self.metadata.revocation_endpoint is not None:
            self._given("POST", self.metadata.revocation_endpoint, {"token": token, "client_id": client_id})

    def _given(self, method: str, url: str, form: dict[str, str | None] | None = None) -> bytes:
        given = {name: value for name, value in (form or {}).items() if value is not None}
        body, headers = (urlencode(given), _FORM) if form is not None else (None, None)
        try:
            reply = self._pool.request(method, url, body=body, headers=headers, redirect=False)
        except (HTTPError, OSError) as error:
            raise IdentityProviderUnavailable(f"{url}: {error}") from error
        if 400 <= reply.status < 500 and form is not None:
            raise NotAuthenticated(f"the identity provider says: {_said(reply)}")
        if reply.status != 200:
            raise IdentityProviderUnavailable(f"{url} answered with HTTP status {reply.status}")
        return reply.data


def _said(reply: BaseHTTPResponse) -> str:
    try:
        problem = msgspec.json.decode(reply.data, type=dict[str, Any])
    except ValueError:
        problem = {}
    said = [str(problem[name])[:200] for name in ("error", "error_description") if name in problem]
    return ", ".join(said) or f"HTTP status {reply.status}"
