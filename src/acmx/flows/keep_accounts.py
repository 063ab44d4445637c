"""Accounts are added, listed and disabled by an operator."""

from msgspec import Struct

from acmx.domain import acm1
from acmx.domain.acm1 import NewAccount
from acmx.domain.errors import Fault, FaultyInput, NotFound
from acmx.domain.identities import InvalidIdentity, functional_alias, mc_service_id
from acmx.domain.moments import to_ms
from acmx.domain.telling import is_mail_address
from acmx.flows.house import House
from acmx.flows.log_on import hashed
from acmx.storage import accounts, journal
from acmx.storage.accounts import Account
from acmx.storage.engine import Tx
from acmx.trust.roles import ROLES, Caller


class Plan(Struct, frozen=True):
    """The account, its password hashed."""

    account: Account
    actor: str


def prepare(house: House, actor: str, new: NewAccount) -> Plan:
    """Slow by purpose (argon2id): run it outside the event loop. Raises FaultyInput."""
    faults = [
        Fault("roles", role, f"must be one of {', '.join(ROLES)}") for role in new.roles if role not in ROLES
    ]
    if not new.roles:
        faults.append(Fault("roles", "", "must name at least one role"))
    try:
        mc_service_id(new.mc_service_id)
        for alias in new.functional_aliases:
            functional_alias(alias)
    except InvalidIdentity as fault:
        faults.append(fault.fault("mc_service_id"))
    if not faults and house.realms.foreign([new.mc_service_id]):
        faults.append(Fault("mc_service_id", new.mc_service_id, f"must belong to {house.system}"))
    if new.mail is not None and not is_mail_address(new.mail):
        faults.append(Fault("mail", new.mail[:255], "must be a mail address"))
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


def disable(house: House, tx: Tx, caller: Caller, name: str) -> acm1.Account:
    """The account's tokens end with it. Raises NotFound."""
    if not accounts.disable(tx, name) or (account := accounts.find(tx, name)) is None:
        raise NotFound(f"no account {name}")
    journal.write(tx, to_ms(house.clock()), "account-disabled", caller.mc_service_id, account=name)
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
