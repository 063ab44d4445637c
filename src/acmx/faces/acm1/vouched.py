"""Callers whom the OpenID provider vouches for. A checked token is not checked again for a minute."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import partial
from hashlib import sha256

from msgspec import Struct

from acmx.config import Oidc
from acmx.domain.errors import NotAllowed, TemporarilyUnavailable
from acmx.domain.moments import to_ms
from acmx.flows.house import House
from acmx.flows.people import claim, log_on_by_token
from acmx.flows.people.refusals import Refusals
from acmx.storage.engine import Store, Tx
from acmx.trust.jwt import ProviderKey, claims_of, kid_of
from acmx.trust.roles import IDENTITY_RULE, Caller

CHECKED_FOR = 60_000
MOST = 10_000


class _Checked(Struct, frozen=True):
    caller: Caller
    until: int


class Vouched:
    """`key` gives the provider's key of a kid; raises NotAuthenticated, IdentityProviderUnavailable."""

    def __init__(
        self,
        house: House,
        store: Store,
        refusals: Refusals,
        oidc: Oidc,
        key: Callable[[str], Awaitable[ProviderKey]],
    ) -> None:
        self._house = house
        self._store = store
        self._refusals = refusals
        self._oidc = oidc
        self._key = key
        self._checked: OrderedDict[bytes, _Checked] = OrderedDict()

    async def caller(self, token: str) -> Caller:
        """Raises NotAuthenticated, InsufficientScope, TemporarilyUnavailable; NotAllowed, which is journalled, where
        the MC service ID in it is another's.
        """
        now = to_ms(self._house.clock())
        digest = sha256(token.encode()).digest()
        before = self._checked.get(digest)
        if before is not None and before.until - CHECKED_FOR <= now < before.until:
            caller = before.caller
        else:
            claims = claims_of(token, await self._key(kid_of(token)))
            caller = log_on_by_token.caller(self._house, self._oidc, claims)
            self._remember(digest, _Checked(caller, min(now + CHECKED_FOR, log_on_by_token.ends_at(claims))))
        if before is None or not await self._store.read(partial(_stands_for, caller)):
            await self._take(digest, caller, now, first=before is None)
        return caller

    def _remember(self, digest: bytes, checked: _Checked) -> None:
        self._checked[digest] = checked
        self._checked.move_to_end(digest)
        if len(self._checked) > MOST:
            self._checked.popitem(last=False)

    async def _take(self, digest: bytes, caller: Caller, now: int, *, first: bool) -> None:
        try:
            await self._store.write(partial(log_on_by_token.apply, caller=caller, at=now, first=first))
        except TemporarilyUnavailable:
            self._checked.pop(digest, None)
            raise
        except NotAllowed:
            self._checked.pop(digest, None)
            await self._refusals.note(caller.mc_service_id, IDENTITY_RULE, **caller.by)
            raise


def _stands_for(caller: Caller, tx: Tx) -> bool:
    return claim.is_of(tx, caller.mc_service_id, caller.account, caller.issuer)
