"""Where passwords are tried: at log-on, and when one is changed. Who has failed too often waits."""

import asyncio
import math
from collections.abc import Callable, Hashable
from functools import partial
from typing import TypeVar

from acmx.domain import acm1
from acmx.domain.acm1 import Credentials, PasswordChange, Session
from acmx.domain.errors import LogOnRefused, NotAllowed, TooManyAttempts
from acmx.flows import change_password, log_on
from acmx.flows.attempts import Attempts
from acmx.flows.house import House
from acmx.flows.refusals import ANYBODY, Refusals
from acmx.storage import accounts
from acmx.storage.accounts import Account, Unlocked
from acmx.storage.engine import Store
from acmx.trust.roles import Caller

AT_ONCE = 2
T = TypeVar("T")


class Passwords:
    """`attempts` counts the failures; at most AT_ONCE passwords are tried at the same time."""

    def __init__(self, house: House, store: Store, refusals: Refusals, attempts: Attempts) -> None:
        self._house = house
        self._store = store
        self._refusals = refusals
        self._attempts = attempts
        self._free = asyncio.Semaphore(AT_ONCE)

    async def log_on(self, given: Credentials, address: str) -> Session:
        """Raises LogOnRefused, TooManyAttempts."""
        async with self._free:
            account = await self._account(given.account, address)
            prepare = partial(log_on.prepare, self._house, account, given)
            plan = await self._tried(prepare, given.account, account, address)
        return await self._store.write(lambda tx: log_on.apply(tx, plan))

    async def change(self, caller: Caller, given: PasswordChange, address: str) -> acm1.Account:
        """Raises LogOnRefused, NotAllowed for those who have no local account, TooManyAttempts."""
        async with self._free:
            account = await self._account(caller.account, address)
            if account is None:
                raise NotAllowed("the password is kept by the identity provider", rule="local-account")
            prepare = partial(change_password.prepare, self._house, account, given)
            plan = await self._tried(prepare, account.name, account, address)
        return await self._store.write(lambda tx: change_password.apply(tx, plan))

    def hear(self, signals: frozenset[Hashable]) -> None:
        for signal in signals:
            if isinstance(signal, Unlocked):
                self._attempts.unlock(signal.name)

    async def _account(self, name: str, address: str) -> Account | None:
        if (wait := self._attempts.wait(name, address)) > 0:
            raise TooManyAttempts(retry_after=math.ceil(wait))
        return await self._store.read(lambda tx: accounts.find(tx, name))

    async def _tried(self, prepare: Callable[[], T], name: str, account: Account | None, address: str) -> T:
        try:
            plan = await asyncio.to_thread(prepare)
        except LogOnRefused:
            actor = account.mc_service_id if account else ANYBODY
            tried = {"address": address} | ({"account": account.name} if account else {})
            await self._refusals.note(actor, LogOnRefused.type, **tried)
            if wait := self._attempts.failed(name, address):
                await self._refusals.note(actor, "locked-out", seconds=str(math.ceil(wait)), **tried)
            raise
        self._attempts.succeeded(name, address)
        return plan
