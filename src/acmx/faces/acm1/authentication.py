"""Who calls ACM-1: the holder of the bearer token."""

from dataclasses import dataclass

from starlette.requests import Request

from acmx.domain.errors import NoIdentity
from acmx.flows import log_on
from acmx.flows.house import House
from acmx.storage.engine import Store
from acmx.trust.roles import Caller


@dataclass(frozen=True)
class Authentication:
    """Asked at every call, and again before anything is sent on an open stream."""

    house: House
    store: Store

    async def caller(self, request: Request) -> Caller:
        """Raises NoIdentity, NotAuthenticated."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise NoIdentity
        return await self.store.read(lambda tx: log_on.caller(self.house, tx, token))
