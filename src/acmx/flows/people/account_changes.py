"""What gives somebody a role waits for a second operator, where two are needed. What takes one away never waits.

Why it is as it is: docs/decisions/0021-one-person-one-account.md.
"""

import msgspec

from acmx.domain.acm1 import (
    AccountApprovals,
    AccountApprovalsSet,
    AccountChange,
    Freed,
    WaitingChange,
    WaitingChanges,
)
from acmx.domain.acm1.account_changes import What
from acmx.domain.documents import encode
from acmx.domain.errors import ChangeWaits, FaultyInput, LimitReached, NotAllowed
from acmx.domain.faults import Fault
from acmx.domain.moments import from_ms, to_ms
from acmx.domain.telling import ACCOUNT_CHANGE
from acmx.flows.house import House
from acmx.flows.people import claim
from acmx.flows.people.account_acts import changed
from acmx.storage import account_changes, accounts, claims, journal, notices
from acmx.storage.account_changes import Change
from acmx.storage.accounts import Account
from acmx.storage.engine import Tx
from acmx.trust.roles import ROLES, Caller

MOST = 1_000
TWO_OPERATORS = "two-operators"


def operators(tx: Tx) -> set[tuple[str, str]]:
    """People who may change accounts, as account and issuer; one for each MC service ID, no service account."""
    local = (account for account in accounts.enabled(tx) if not account.automatic)
    return {
        (account.name, "")
        for account in local
        if _runs_accounts(account.roles) and claim.is_of(tx, account.mc_service_id, account.name)
    } | {
        (held.account or "", held.issuer)
        for held in claims.every(tx)
        if held.issuer and _runs_accounts(held.roles)
    }


def must_wait(tx: Tx) -> bool:
    return account_changes.needed(tx) > 1


def require_none_waits(tx: Tx, account: str) -> None:
    """Raises ChangeWaits."""
    waiting = account_changes.of_account(tx, account)
    if waiting is not None:
        raise ChangeWaits("approve or refuse that one first", waiting=waiting.id)


def ask(house: House, tx: Tx, caller: Caller, account: str, what: What, body: bytes = b"{}") -> str:
    """The id of the change that waits from now on. Raises ChangeWaits, NotAllowed, LimitReached."""
    require_none_waits(tx, account)
    if caller.automatic:
        raise NotAllowed(f"people have to agree, and {caller.account} is none", rule="people")
    if account_changes.count(tx) >= MOST:
        raise LimitReached(f"{MOST:,} changes of accounts wait already")
    now = to_ms(house.clock())
    id_ = house.mint()
    change = Change(id_, account, what, body, now, caller.mc_service_id, caller.account, caller.issuer)
    account_changes.insert(tx, change)
    given = shown(tx, change)
    journal.write(
        tx,
        now,
        "account-change-asked",
        caller.mc_service_id,
        change=id_,
        account=account or None,
        what=what,
        roles=",".join(given.roles) or None,
        mc_service_id=given.mc_service_id,
        needed=given.needed,
    )
    notices.put_for_operators(tx, now, house.system, f"{what} {account}: {id_}", ACCOUNT_CHANGE, 0)
    return id_


def page(tx: Tx, *, after: str, limit: int) -> WaitingChanges:
    found = account_changes.page(tx, after=after, limit=limit + 1)
    following = found[limit - 1].id if len(found) > limit else None
    return WaitingChanges([shown(tx, change) for change in found[:limit]], following)


def shown(tx: Tx, change: Change) -> WaitingChange:
    """With the roles that the account has, and would have."""
    before = after = accounts.find(tx, change.account)
    person = needed = None
    match change.what:
        case "add":
            after = msgspec.json.decode(change.body, type=Account)
        case "change" if before:
            after = changed(before, msgspec.json.decode(change.body, type=AccountChange))
        case "free":
            person = msgspec.json.decode(change.body, type=Freed).mc_service_id
        case "approvals":
            needed = msgspec.json.decode(change.body, type=AccountApprovals).needed
    return WaitingChange(
        id=change.id,
        account=change.account,
        what=change.what,
        asked_at=from_ms(change.asked_at),
        asked_by=change.asked_by,
        asked_by_account=change.asked_account,
        mc_service_id=after.mc_service_id if after else person,
        roles_before=before.roles.split(",") if before else [],
        roles=after.roles.split(",") if after else [],
        mail=after.mail if after else None,
        functional_aliases=after.names[1:] if after else [],
        automatic=bool(after and after.automatic),
        needed=needed,
    )


def approvals(tx: Tx, waiting: str | None = None) -> AccountApprovalsSet:
    found = account_changes.of_account(tx, "")
    return AccountApprovalsSet(
        account_changes.needed(tx), len(operators(tx)), waiting or (found.id if found else None)
    )


def set_approvals(house: House, tx: Tx, caller: Caller, given: AccountApprovals) -> AccountApprovalsSet:
    """Two take hold at once, where there are two; that one is enough is what a second operator approves.

    Raises FaultyInput, ChangeWaits, NotAllowed.
    """
    held = account_changes.needed(tx)
    if given.needed < held:
        return approvals(tx, ask(house, tx, caller, "", "approvals", encode(given)))
    if given.needed > held:
        there = len(operators(tx))
        if there < given.needed:
            rule = f"needs {given.needed} operators, so that another one can approve: there is {there}"
            raise FaultyInput([Fault("needed", str(given.needed), rule)])
        put_approvals(tx, to_ms(house.clock()), caller.mc_service_id, given.needed)
    return approvals(tx)


def put_approvals(tx: Tx, at: int, actor: str, needed: int, **more: str) -> None:
    """`at` in milliseconds. Journalled with what held before."""
    old = account_changes.needed(tx)
    account_changes.set_needed(tx, needed)
    journal.write(tx, at, "account-approvals-set", actor, old=old, new=needed, **more)


def _runs_accounts(roles: str) -> bool:
    return any("accounts" in ROLES.get(role, ()) for role in roles.split(","))
