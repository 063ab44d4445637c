"""Who calls ACM-1: the holder of the bearer token, one of our own or one of the OpenID provider."""

from dataclasses import dataclass

from starlette.requests import Request

from acmx.domain.errors import NoIdentity
from acmx.faces.acm1.vouched import Vouched
from acmx.flows.house import House
from acmx.flows.people import log_on
from acmx.storage.engine import Store
from acmx.trust.roles import Caller


@dataclass(frozen=True)
class Authentication:
    """Asked at every call, and again before anything is sent on an open stream. A token of our own has no dots."""

    house: House
    store: Store
    vouched: Vouched | None = None

    async def caller(self, request: Request) -> Caller:
        """Raises NoIdentity, NotAuthenticated, InsufficientScope, TemporarilyUnavailable."""
        return await self.holder(bearer_of(request))

    async def holder(self, token: str) -> Caller:
        """Raises NotAuthenticated, InsufficientScope, TemporarilyUnavailable."""
        if self.vouched is not None and "." in token:
            return await self.vouched.caller(token)
        return await self.store.read(lambda tx: log_on.caller(self.house, tx, token))


def bearer_of(request: Request) -> str:
    """The bearer token. Raises NoIdentity."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NoIdentity
    return token


def address_of(request: Request) -> str:
    """The IP address that the caller connects from."""
    return request.client.host if request.client else ""
