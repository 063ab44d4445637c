"""What becomes of an account, carried out: written down with who did it, and told to whose account it is."""

from typing import Any

import msgspec
from msgspec import Struct

from acmx.domain.acm1 import AccountChange
from acmx.domain.errors import FaultyInput, NotFound
from acmx.domain.faults import Fault
from acmx.domain.moments import to_ms
from acmx.domain.telling import YOUR_ACCOUNT
from acmx.flows.exchange.approvals import person_of
from acmx.flows.house import House
from acmx.flows.people import claim
from acmx.storage import accounts, claims, journal, notices
from acmx.storage.accounts import Account
from acmx.storage.claims import Claim
from acmx.storage.engine import Tx


class Act(Struct, frozen=True):
    """Where and by whom (MC service ID); `asked`: who asked for it, where somebody else approves."""

    house: House
    tx: Tx
    actor: str
    asked: dict[str, str] = {}

    @property
    def at(self) -> int:
        """Milliseconds."""
        return to_ms(self.house.clock())

    def write(self, event: str, **detail: object) -> None:
        said: dict[str, Any] = detail | self.asked
        journal.write(self.tx, self.at, event, self.actor, **said)

    def done(self, event: str, account: Account, **detail: object) -> Account:
        """Write down and tell the holder what was done with this account."""
        self.write(event, account=account.name, **detail)
        subject = f"{account.name}: {event.removeprefix('account-')}"
        notices.put_for_holder(
            self.tx, self.at, self.house.system, subject, YOUR_ACCOUNT, self.at, account.mc_service_id
        )
        return account


def require_new(tx: Tx, account: Account) -> None:
    """Raises FaultyInput where the name is taken, IdentityTaken where the MC service ID is."""
    if accounts.find(tx, account.name) is not None:
        raise FaultyInput([Fault("name", account.name, "is taken")])
    claim.require_free(tx, account)


def add(act: Act, account: Account) -> Account:
    """Raises FaultyInput, IdentityTaken."""
    require_new(act.tx, account)
    accounts.insert(act.tx, account)
    claim.take(act.tx, account, act.at)
    act.write("account-added", account=account.name, mc_service_id=account.mc_service_id, roles=account.roles)
    return account


def change(act: Act, account: Account, given: AccountChange) -> Account:
    """At once, also for sessions that have begun."""
    new = changed(account, given)
    accounts.replace(act.tx, new)
    return act.done("account-changed", new, roles=new.roles)


def disable(act: Act, account: Account) -> Account:
    """The account's sessions end with it, and its MC service ID is free."""
    accounts.end_sessions(act.tx, account.name)
    claim.release(act.tx, account)
    return _switched(act, account, "account-disabled", disabled=True)


def enable(act: Act, account: Account) -> Account:
    """Raises IdentityTaken."""
    claim.take(act.tx, account, act.at)
    return _switched(act, account, "account-enabled", disabled=False)


def choose(act: Act, account: Account) -> Account:
    """Of the accounts with its MC service ID it is this one; the others are disabled.

    Raises IdentityTaken, NotFound.
    """
    open_ = require_choice(act.tx, account)
    others = claim.shared(act.tx).get(open_.person, [])
    others = [other for other in others if other.name != account.name]
    for other in others:
        disable(act, other)
    claims.replace(act.tx, msgspec.structs.replace(open_, account=account.name, since=act.at))
    names = [other.name for other in others]
    return _switched(act, account, "account-chosen", disabled=False, instead_of=names)


def require_choice(tx: Tx, account: Account) -> Claim:
    """The claim for which one of several accounts is to be chosen.

    Raises IdentityTaken, NotFound where there is none.
    """
    held = claims.find(tx, person_of(account.mc_service_id))
    if held is None or held.is_of(account.name, ""):
        raise NotFound(f"nothing to choose: {account.mc_service_id} is no other account's")
    if held.account is not None:
        claim.require_free(tx, account)
    return held


def free(act: Act, mc_service_id: str) -> Claim:
    """The next who comes with it from an OpenID provider has it, or a local account.

    Raises InvalidIdentity, NotFound.
    """
    held = require_vouched(act.tx, mc_service_id)
    claims.drop(act.tx, held.person)
    act.write(
        "mc-service-id-freed", mc_service_id=held.mc_service_id, account=held.account, issuer=held.issuer
    )
    return held


def require_vouched(tx: Tx, mc_service_id: str) -> Claim:
    """Raises InvalidIdentity; NotFound where it is no subject's of an OpenID provider."""
    held = claims.find(tx, person_of(mc_service_id))
    if held is None or not held.issuer:
        raise NotFound(f"nobody of an OpenID provider has {mc_service_id}")
    return held


def changed(account: Account, given: AccountChange) -> Account:
    """The account as it is to be."""
    wanted: dict[str, object] = {}
    if given.roles is not msgspec.UNSET:
        wanted["roles"] = ",".join(given.roles)
    if given.mail is not msgspec.UNSET:
        wanted["mail"] = given.mail
    return msgspec.structs.replace(account, **wanted)


def _switched(act: Act, account: Account, event: str, *, disabled: bool, **detail: object) -> Account:
    new = msgspec.structs.replace(account, disabled=int(disabled))
    accounts.replace(act.tx, new)
    return act.done(event, new, **detail)
