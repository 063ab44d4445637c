"""A second operator approves what was asked for an account, or refuses it; whoever asked may refuse it too."""

from collections.abc import Callable

import msgspec

from acmx.domain.acm1 import AccountApprovals, AccountChange, Freed, WaitingChange
from acmx.domain.acm1.account_changes import What
from acmx.domain.errors import NotAllowed, NotFound
from acmx.domain.moments import to_ms
from acmx.domain.telling import ACCOUNT_CHANGE_DECIDED
from acmx.flows.house import House
from acmx.flows.people import account_acts
from acmx.flows.people.account_acts import Act
from acmx.flows.people.account_changes import TWO_OPERATORS, operators, put_approvals, shown
from acmx.storage import account_changes, accounts, journal, notices
from acmx.storage.account_changes import Change
from acmx.storage.accounts import Account
from acmx.storage.engine import Tx
from acmx.trust.roles import Caller


def approve(house: House, tx: Tx, caller: Caller, id_: str) -> WaitingChange:
    """It is carried out. Raises NotFound, NotAllowed, and what the change raises where it is no longer possible."""
    change = _known(tx, id_)
    _permit(tx, caller, change)
    seen = shown(tx, change)
    _CARRIED_OUT[change.what](Act(house, tx, caller.mc_service_id, _asked(change)), change)
    _settle(house, tx, change, "approved")
    return seen


def refuse(house: House, tx: Tx, caller: Caller, id_: str, reason: str | None) -> WaitingChange:
    """Raises NotFound."""
    change = _known(tx, id_)
    journal.write(
        tx,
        to_ms(house.clock()),
        "account-change-refused",
        caller.mc_service_id,
        account=change.account or None,
        what=change.what,
        reason=reason,
        **_asked(change),
    )
    seen = shown(tx, change)
    _settle(house, tx, change, "refused")
    return seen


def _permit(tx: Tx, caller: Caller, change: Change) -> None:
    """Raises NotAllowed unless there are two people, both operators now."""
    there = operators(tx)
    asker = (change.asked_account, change.asked_issuer)
    second = (caller.account, caller.issuer)
    if second == asker:
        raise NotAllowed("who asked for it does not approve it", rule=TWO_OPERATORS)
    if second not in there:
        raise NotAllowed(f"people have to agree, and {caller.account} does not count", rule=TWO_OPERATORS)
    if asker not in there:
        raise NotAllowed(
            f"{change.asked_account}, who asked for it, is no operator any more", rule=TWO_OPERATORS
        )


def _settle(house: House, tx: Tx, change: Change, how: str) -> None:
    account_changes.drop(tx, change.id)
    at = to_ms(house.clock())
    subject = f"{how}: {change.what} {change.account}: {change.id}"
    notices.put_for_operators(tx, at, house.system, subject, ACCOUNT_CHANGE_DECIDED, 0)


def _asked(change: Change) -> dict[str, str]:
    asked = {"change": change.id, "asked_by": change.asked_by, "asked_by_account": change.asked_account}
    return asked | ({"asked_by_issuer": change.asked_issuer} if change.asked_issuer else {})


def _known(tx: Tx, id_: str) -> Change:
    change = account_changes.find(tx, id_)
    if change is None:
        raise NotFound("no such change waits, or it was approved or refused")
    return change


def _account(act: Act, change: Change) -> Account:
    account = accounts.find(act.tx, change.account)
    if account is None:
        raise NotFound(f"no account {change.account}")
    return account


def _add(act: Act, change: Change) -> None:
    account_acts.add(act, msgspec.json.decode(change.body, type=Account))


def _change(act: Act, change: Change) -> None:
    given = msgspec.json.decode(change.body, type=AccountChange)
    account_acts.change(act, _account(act, change), given)


def _enable(act: Act, change: Change) -> None:
    account_acts.enable(act, _account(act, change))


def _choose(act: Act, change: Change) -> None:
    account_acts.choose(act, _account(act, change))


def _free(act: Act, change: Change) -> None:
    account_acts.free(act, msgspec.json.decode(change.body, type=Freed).mc_service_id)


def _approvals(act: Act, change: Change) -> None:
    needed = msgspec.json.decode(change.body, type=AccountApprovals).needed
    put_approvals(act.tx, act.at, act.actor, needed, **act.asked)


_CARRIED_OUT: dict[What, Callable[[Act, Change], None]] = {
    "add": _add,
    "change": _change,
    "enable": _enable,
    "choose": _choose,
    "free": _free,
    "approvals": _approvals,
}
