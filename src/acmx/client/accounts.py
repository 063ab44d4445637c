"""Accounts of people and of services."""

from collections.abc import Iterator

from acmx.client.calls import Calls
from acmx.client.pages import pages
from acmx.client.places import path, query
from acmx.domain.acm1 import Account, AccountChange, Accounts, NewAccount


class AccountCalls(Calls):
    """Who may log on."""

    def accounts(self, after: str | None = None, limit: int | None = None) -> Accounts:
        return self._connection.get(query("/accounts", after=after, limit=limit), Accounts)

    def all_accounts(self) -> Iterator[Account]:
        for page in pages(self.accounts):
            yield from page.items

    def add_account(self, account: NewAccount) -> Account:
        return self._connection.send("POST", "/accounts", Account, account)

    def disable_account(self, name: str) -> Account:
        return self._connection.send("POST", path("accounts", name, "disablement"), Account)

    def enable_account(self, name: str) -> Account:
        return self._connection.send("POST", path("accounts", name, "enablement"), Account)

    def unlock_account(self, name: str) -> Account:
        """Forget its failed log-ons."""
        return self._connection.send("POST", path("accounts", name, "unlocking"), Account)

    def change_account(self, name: str, change: AccountChange) -> Account:
        return self._connection.send("PATCH", path("accounts", name), Account, change)
