"""Accounts are added, listed, changed, disabled and enabled by an operator."""

from collections.abc import Iterator

import msgspec
from msgspec import UNSET, Struct

from acmx.domain import acm1
from acmx.domain.acm1 import AccountChange, NewAccount
from acmx.domain.errors import Fault, FaultyInput, NotFound
from acmx.domain.identities import InvalidIdentity, functional_alias, mc_service_id
from acmx.domain.moments import to_ms
from acmx.domain.telling import is_mail_address
from acmx.flows.house import House
from acmx.flows.log_on import hashed
from acmx.storage import accounts, journal
from acmx.storage.accounts import Account, Unlocked
from acmx.storage.engine import Tx
from acmx.trust.roles import ROLES, Caller


class Plan(Struct, frozen=True):
    """The account, its password hashed."""

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
    return Plan(account, actor)


def apply(tx: Tx, plan: Plan) -> acm1.Account:
    """Raises FaultyInput where the name is taken."""
    account = plan.account
    if not accounts.insert(tx, account):
        raise FaultyInput([Fault("name", account.name, "is taken")])
    journal.write(
        tx, account.created_at, "account-added", plan.actor, account=account.name, roles=account.roles
    )
    return shown(account)


def change(house: House, tx: Tx, caller: Caller, name: str, given: AccountChange) -> acm1.Account:
    """At once, also for sessions that have begun. Raises FaultyInput, NotFound."""
    wanted: dict[str, object] = {}
    faults: list[Fault] = []
    if given.roles is not UNSET:
        wanted["roles"] = ",".join(given.roles)
        faults += _faults_of_roles(given.roles)
    if given.mail is not UNSET:
        wanted["mail"] = given.mail
        faults += _faults_of_mail(given.mail)
    if faults:
        raise FaultyInput(faults)
    account = msgspec.structs.replace(_known(tx, name), **wanted)
    accounts.replace(tx, account)
    now = to_ms(house.clock())
    journal.write(tx, now, "account-changed", caller.mc_service_id, account=name, roles=account.roles)
    return shown(account)


def disable(house: House, tx: Tx, caller: Caller, name: str) -> acm1.Account:
    """The account's sessions end with it. Raises NotFound."""
    accounts.end_sessions(tx, name)
    return _switch(house, tx, caller, name, disabled=True)


def enable(house: House, tx: Tx, caller: Caller, name: str) -> acm1.Account:
    """Raises NotFound."""
    return _switch(house, tx, caller, name, disabled=False)


def unlocked(house: House, tx: Tx, caller: Caller, name: str) -> acm1.Account:
    """That failed log-ons are forgotten is written down. Raises NotFound."""
    account = _known(tx, name)
    journal.write(tx, to_ms(house.clock()), "account-unlocked", caller.mc_service_id, account=name)
    tx.signal(Unlocked(name))
    return shown(account)


def page(tx: Tx, *, after: str, limit: int) -> acm1.Accounts:
    found = accounts.page(tx, after=after, limit=limit + 1)
    following = found[limit - 1].name if len(found) > limit else None
    return acm1.Accounts([shown(account) for account in found[:limit]], following)


def shown(account: Account) -> acm1.Account:
    return acm1.Account(
        name=account.name,
        mc_service_id=account.mc_service_id,
        functional_aliases=account.names[1:],
        roles=account.roles.split(","),
        automatic=bool(account.automatic),
        disabled=bool(account.disabled),
        mail=account.mail,
    )


def _switch(house: House, tx: Tx, caller: Caller, name: str, *, disabled: bool) -> acm1.Account:
    account = msgspec.structs.replace(_known(tx, name), disabled=int(disabled))
    accounts.replace(tx, account)
    event = "account-disabled" if disabled else "account-enabled"
    journal.write(tx, to_ms(house.clock()), event, caller.mc_service_id, account=name)
    return shown(account)


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
