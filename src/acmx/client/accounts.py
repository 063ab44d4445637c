"""Accounts of people and of services."""

from collections.abc import Iterator

from acmx.client.calls import Calls
from acmx.client.pages import pages
from acmx.client.places import path, query
from acmx.domain.acm1 import (
    Account,
    AccountApprovals,
    AccountApprovalsSet,
    AccountChange,
    Accounts,
    ChangeRefusal,
    Freed,
    NewAccount,
    VouchedPeople,
    VouchedPerson,
    WaitingChange,
    WaitingChanges,
)


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

    def choose_account(self, name: str) -> Account:
        """Of the accounts with one MC service ID it is this one."""
        return self._connection.send("POST", path("accounts", name, "choice"), Account)

    def unlock_account(self, name: str) -> Account:
        """Forget its failed log-ons."""
        return self._connection.send("POST", path("accounts", name, "unlocking"), Account)

    def change_account(self, name: str, change: AccountChange) -> Account:
        return self._connection.send("PATCH", path("accounts", name), Account, change)

    def account_changes(self, after: str | None = None, limit: int | None = None) -> WaitingChanges:
        """What waits for a second operator."""
        return self._connection.get(query("/account-changes", after=after, limit=limit), WaitingChanges)

    def all_account_changes(self) -> Iterator[WaitingChange]:
        for page in pages(self.account_changes):
            yield from page.items

    def approve_account_change(self, id_: str) -> WaitingChange:
        return self._connection.send("POST", path("account-changes", id_, "approval"), WaitingChange)

    def refuse_account_change(self, id_: str, reason: str | None = None) -> WaitingChange:
        place = path("account-changes", id_, "refusal")
        return self._connection.send("POST", place, WaitingChange, ChangeRefusal(reason))

    def account_approvals(self) -> AccountApprovalsSet:
        return self._connection.get("/account-approvals", AccountApprovalsSet)

    def set_account_approvals(self, given: AccountApprovals) -> AccountApprovalsSet:
        return self._connection.send("PUT", "/account-approvals", AccountApprovalsSet, given)

    def vouched(self, after: str | None = None, limit: int | None = None) -> VouchedPeople:
        """Who has come from an OpenID provider."""
        return self._connection.get(query("/vouched", after=after, limit=limit), VouchedPeople)

    def all_vouched(self) -> Iterator[VouchedPerson]:
        for page in pages(self.vouched):
            yield from page.items

    def free_mc_service_id(self, mc_service_id: str) -> VouchedPerson:
        return self._connection.send("POST", "/vouched/freeing", VouchedPerson, Freed(mc_service_id))
