"""Accounts are added, listed, changed, disabled, enabled and chosen by an operator.

What gives somebody a role waits for a second operator, where two are needed (`account_changes`).
"""

from collections.abc import Iterator

import msgspec
from msgspec import UNSET, Struct

from acmx.domain import acm1
from acmx.domain.acm1 import AccountChange, NewAccount
from acmx.domain.documents import encode
from acmx.domain.errors import FaultyInput, NotFound
from acmx.domain.faults import Fault
from acmx.domain.identities import InvalidIdentity, functional_alias, mc_service_id
from acmx.domain.moments import to_ms
from acmx.domain.telling import is_mail_address
from acmx.flows.exchange.approvals import person_of
from acmx.flows.house import House
from acmx.flows.people import account_acts, claim
from acmx.flows.people.account_acts import Act
from acmx.flows.people.account_changes import ask, must_wait, require_none_waits
from acmx.flows.people.log_on import hashed
from acmx.storage import account_changes, accounts
from acmx.storage.accounts import Account, Unlocked
from acmx.storage.engine import Tx
from acmx.trust.roles import ROLES, Caller


class Plan(Struct, frozen=True):
    """The account, its password hashed."""

    house: House
    account: Account
    actor: str


def prepare(house: House, actor: str, new: NewAccount) -> Plan:
    """Slow by purpose (argon2id): run it outside the event loop. Raises FaultyInput."""
    faults = [*_faults_of_roles(new.roles), *_faults_of_mail(new.mail)]
    try:
        mc_service_id(new.mc_service_id)
        for alias in new.functional_aliases:
            functional_alias(alias)
    except InvalidIdentity as fault:
        faults.append(fault.fault("mc_service_id"))
    if not faults and house.realms.foreign([new.mc_service_id]):
        faults.append(Fault("mc_service_id", new.mc_service_id, f"must belong to {house.system}"))
    if faults:
        raise FaultyInput(faults)
    account = Account(
        name=new.name,
        mc_service_id=new.mc_service_id,
        functional_aliases=",".join(new.functional_aliases),
        roles=",".join(new.roles),
        password_hash=hashed(new.password),
        automatic=int(new.automatic),
        disabled=0,
        created_at=to_ms(house.clock()),
        mail=new.mail,
    )
    return Plan(house, account, actor)


def apply(tx: Tx, plan: Plan) -> acm1.Account:
    """Whatever is needed: so the first account is added. Raises FaultyInput, IdentityTaken where something is taken."""
    return shown(tx, account_acts.add(Act(plan.house, tx, plan.actor), plan.account))


def add(tx: Tx, caller: Caller, plan: Plan) -> acm1.Account:
    """Raises FaultyInput, IdentityTaken where something is taken; ChangeWaits, NotAllowed."""
    account = plan.account
    require_none_waits(tx, account.name)
    if not must_wait(tx):
        return apply(tx, plan)
    account_acts.require_new(tx, account)
    ask(plan.house, tx, caller, account.name, "add", msgspec.json.encode(account))
    return shown(tx, account)


def change(house: House, tx: Tx, caller: Caller, name: str, given: AccountChange) -> acm1.Account:
    """Raises FaultyInput, NotFound, ChangeWaits, NotAllowed."""
    faults: list[Fault] = []
    if given.roles is not UNSET:
        faults += _faults_of_roles(given.roles)
    if given.mail is not UNSET:
        faults += _faults_of_mail(given.mail)
    if faults:
        raise FaultyInput(faults)
    account = _known(tx, name)
    require_none_waits(tx, name)
    given_now = set(account_acts.changed(account, given).roles.split(",")) - set(account.roles.split(","))
    if given_now and must_wait(tx):
        ask(house, tx, caller, name, "change", encode(given))
        return shown(tx, account)
    return shown(tx, account_acts.change(Act(house, tx, caller.mc_service_id), account, given))


def disable(house: House, tx: Tx, caller: Caller, name: str) -> acm1.Account:
    """Raises NotFound."""
    return shown(tx, account_acts.disable(Act(house, tx, caller.mc_service_id), _known(tx, name)))


def enable(house: House, tx: Tx, caller: Caller, name: str) -> acm1.Account:
    """Raises NotFound, IdentityTaken, ChangeWaits, NotAllowed."""
    account = _known(tx, name)
    require_none_waits(tx, name)
    claim.require_free(tx, account)
    if account.disabled and must_wait(tx):
        ask(house, tx, caller, name, "enable")
        return shown(tx, account)
    return shown(tx, account_acts.enable(Act(house, tx, caller.mc_service_id), account))


def choose(house: House, tx: Tx, caller: Caller, name: str) -> acm1.Account:
    """Raises NotFound, also where there is nothing to choose; IdentityTaken, ChangeWaits, NotAllowed."""
    account = _known(tx, name)
    require_none_waits(tx, name)
    account_acts.require_choice(tx, account)
    if must_wait(tx):
        ask(house, tx, caller, name, "choose")
        return shown(tx, account)
    return shown(tx, account_acts.choose(Act(house, tx, caller.mc_service_id), account))


def unlocked(house: House, tx: Tx, caller: Caller, name: str) -> acm1.Account:
    """That failed log-ons are forgotten is written down. Raises NotFound."""
    account = _known(tx, name)
    Act(house, tx, caller.mc_service_id).write("account-unlocked", account=name)
    tx.signal(Unlocked(name))
    return shown(tx, account)


def page(tx: Tx, *, after: str, limit: int) -> acm1.Accounts:
    found = accounts.page(tx, after=after, limit=limit + 1)
    following = found[limit - 1].name if len(found) > limit else None
    shared = claim.shared(tx)
    return acm1.Accounts([_shown(tx, account, shared) for account in found[:limit]], following)


def shown(tx: Tx, account: Account) -> acm1.Account:
    return _shown(tx, account, claim.shared(tx))


def _shown(tx: Tx, account: Account, shared: dict[str, list[Account]]) -> acm1.Account:
    same = [] if account.disabled else shared.get(person_of(account.mc_service_id), [])
    waiting = account_changes.of_account(tx, account.name)
    return acm1.Account(
        name=account.name,
        mc_service_id=account.mc_service_id,
        functional_aliases=account.names[1:],
        roles=account.roles.split(","),
        automatic=bool(account.automatic),
        disabled=bool(account.disabled),
        mail=account.mail,
        in_doubt=bool(same),
        shares_with=[other.name for other in same if other.name != account.name],
        waiting=waiting.id if waiting else None,
    )


def _known(tx: Tx, name: str) -> Account:
    account = accounts.find(tx, name)
    if account is None:
        raise NotFound(f"no account {name}")
    return account


def _faults_of_roles(roles: tuple[str, ...]) -> Iterator[Fault]:
    if not roles:
        yield Fault("roles", "", "must name at least one role")
    for role in roles:
        if role not in ROLES:
            yield Fault("roles", role, f"must be one of {', '.join(ROLES)}")


def _faults_of_mail(mail: str | None) -> Iterator[Fault]:
    if mail is not None and not is_mail_address(mail):
        yield Fault("mail", mail[:255], "must be a mail address")
