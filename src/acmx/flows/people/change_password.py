"""A person changes the password of the own account; every session of the account ends."""

from msgspec import Struct

from acmx.domain import acm1
from acmx.domain.acm1 import PasswordChange
from acmx.domain.errors import LogOnRefused
from acmx.domain.moments import to_ms
from acmx.flows.house import House
from acmx.flows.people import log_on
from acmx.flows.people.keep_accounts import shown
from acmx.storage import accounts, journal
from acmx.storage.accounts import Account
from acmx.storage.engine import Tx


class Plan(Struct, frozen=True):
    """The account as it was, and the hash of its new password."""

    account: Account
    password_hash: str
    at: int


def prepare(house: House, account: Account, change: PasswordChange) -> Plan:
    """Slow by purpose (argon2id): run it outside the event loop. Raises LogOnRefused."""
    if not log_on.fits(account, change.current):
        raise LogOnRefused
    return Plan(account, log_on.hashed(change.new), to_ms(house.clock()))


def apply(tx: Tx, plan: Plan) -> acm1.Account:
    """Raises LogOnRefused where the password was changed meanwhile."""
    account = plan.account
    if not accounts.change_password(tx, account, plan.password_hash):
        raise LogOnRefused
    accounts.end_sessions(tx, account.name)
    journal.write(tx, plan.at, "password-changed", account.mc_service_id, account=account.name)
    return shown(tx, account)
