"""Where passwords are tried: at log-on, and when one is changed. Who has failed too often waits."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from acmx.domain import acm1
from acmx.domain.acm1 import Credentials, PasswordChange, Session
from acmx.domain.errors import LogOnRefused, NotAllowed, NotAuthenticated, TooManyAttempts
from acmx.domain.networks import network_of
from acmx.faces.turns import Turns
from acmx.flows.house import House
from acmx.flows.people import change_password, log_on
from acmx.flows.people.attempts import Attempts
from acmx.flows.people.refusals import ANYBODY, Refusals
from acmx.storage import accounts
from acmx.storage.accounts import Account, Unlocked
from acmx.storage.engine import Store
from acmx.storage.journal import OnBehalf
from acmx.trust.roles import Caller

AT_ONCE = 2
OF_ONE, IN_ALL = 64, 512
"""Who may wait for the trial of a password: of one address (of IPv6: one network of 64 bits), and of all."""
TAKES = 0.1
"""Seconds for a trial, until some were measured."""

AT_THE_PROVIDER = 8
TAKES_THERE = 0.5
T = TypeVar("T")


class Passwords:
    """`attempts` counts the failures; at most AT_ONCE passwords are tried at the same time, addresses take turns.

    Who has logged on from an address before, or is logged on, comes before strangers.
    """

    def __init__(self, house: House, store: Store, refusals: Refusals, attempts: Attempts) -> None:
        self._house = house
        self._store = store
        self._refusals = refusals
        self._attempts = attempts
        self._turns = Turns(AT_ONCE, OF_ONE, IN_ALL, takes=TAKES)
        self._threads = ThreadPoolExecutor(AT_ONCE, "acmx-password")
        self._at_the_provider = Turns(AT_THE_PROVIDER, OF_ONE, IN_ALL, takes=TAKES_THERE)

    async def log_on(self, given: Credentials, address: str) -> Session:
        """Raises LogOnRefused, TooManyAttempts, TooMuchAtOnce."""
        prepare = partial(log_on.prepare, self._house, credentials=given)
        known = self._attempts.knows(given.account, address)
        plan = await self._tried(prepare, given.account, address, known=known)
        return await self._store.write(lambda tx: log_on.apply(tx, plan))

    async def change(self, caller: Caller, given: PasswordChange, address: str) -> acm1.Account:
        """Raises LogOnRefused, NotAllowed for those who have no local account, TooManyAttempts, TooMuchAtOnce."""

        def prepare(account: Account | None) -> change_password.Plan:
            if account is None:
                raise NotAllowed("the password is kept by the identity provider", rule="local-account")
            return change_password.prepare(self._house, account, given)

        plan = await self._tried(prepare, caller.account, address, known=True)
        return await self._store.write(
            lambda tx: change_password.apply(OnBehalf(tx, caller.mc_service_id, caller.by), plan)
        )

    async def hashing(self, work: Callable[[], T], address: str) -> T:
        """What hashes a password for somebody who is logged on, in its turn. Raises TooMuchAtOnce."""
        async with self._turns.turn(network_of(address), known=True):
            return await self._apart(work)

    async def at_the_provider(self, exchange: Callable[[], Awaitable[T]], address: str) -> T:
        """What strangers make us ask the OpenID provider, in turn.

        Raises TooManyAttempts, TooMuchAtOnce, and what `exchange` raises.
        """
        self._must_not_wait(None, address)
        async with self._at_the_provider.turn(network_of(address)):
            self._must_not_wait(None, address)
            try:
                return await exchange()
            except NotAuthenticated:
                self._attempts.failed(None, address)
                raise

    def hear(self, signals: frozenset[Hashable]) -> None:
        for signal in signals:
            if isinstance(signal, Unlocked):
                self._attempts.unlock(signal.name)

    def _must_not_wait(self, name: str | None, address: str) -> None:
        if (wait := self._attempts.wait(name, address)) > 0:
            raise TooManyAttempts(retry_after=math.ceil(wait))

    async def _tried(
        self, prepare: Callable[[Account | None], T], name: str, address: str, *, known: bool
    ) -> T:
        """Who has to wait takes nobody's turn, and whoever has failed meanwhile has to wait now."""
        self._must_not_wait(name, address)
        async with self._turns.turn(network_of(address), known=known):
            self._must_not_wait(name, address)
            account = await self._store.read(lambda tx: accounts.find(tx, name))
            try:
                plan = await self._apart(partial(prepare, account))
            except LogOnRefused:
                wait = self._attempts.failed(name, address)
            else:
                self._attempts.succeeded(name, address)
                return plan
        actor = account.mc_service_id if account else ANYBODY
        tried = {"address": address} | ({"account": account.name} if account else {})
        await self._refusals.note(actor, LogOnRefused.type, **tried)
        if wait:
            await self._refusals.note(actor, "locked-out", seconds=str(math.ceil(wait)), **tried)
        raise LogOnRefused

    async def _apart(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
