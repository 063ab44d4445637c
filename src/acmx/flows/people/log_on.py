"""Steps 7 and 15: a person logs on with a local account and gets a bearer token."""

import hmac
import secrets
from datetime import timedelta
from functools import cache
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error
from msgspec import Struct

from acmx.domain.acm1 import Credentials, Session
from acmx.domain.errors import LogOnRefused, NotAuthenticated
from acmx.domain.moments import to_ms, whole
from acmx.flows.house import House
from acmx.flows.people import claim
from acmx.storage import accounts, journal
from acmx.storage.accounts import Account, Token
from acmx.storage.engine import Tx
from acmx.trust.roles import Caller

LASTS = timedelta(hours=12)
_hasher = PasswordHasher()


class Plan(Struct, frozen=True):
    """The session that begins."""

    account: Account
    session: Session
    token: Token


def hashed(password: str) -> str:
    """argon2id."""
    return _hasher.hash(password)


def fits(account: Account | None, password: str) -> bool:
    """Slow by purpose (argon2id), for unknown accounts too: run it outside the event loop."""
    nobody = _hash_of_nobody()
    try:
        _hasher.verify(account.password_hash if account else nobody, password)
    except Argon2Error:
        return False
    return account is not None


def prepare(house: House, account: Account | None, credentials: Credentials) -> Plan:
    """Slow, as `fits`. Raises LogOnRefused."""
    if not fits(account, credentials.password) or account is None or account.disabled:
        raise LogOnRefused
    now = whole(house.clock())
    secret = secrets.token_urlsafe(32)
    ends = now + LASTS
    session = Session(
        token=secret,
        account=account.name,
        mc_service_id=account.mc_service_id,
        roles=account.roles.split(","),
        system=house.system,
        ends_at=ends,
    )
    return Plan(account, session, Token(token_hash(secret), account.name, to_ms(now), to_ms(ends)))


def _same(account: Account, verified: Account) -> bool:
    """Whether the password that was verified is still the one."""
    return hmac.compare_digest(account.password_hash.encode(), verified.password_hash.encode())


def apply(tx: Tx, plan: Plan) -> Session:
    """Raises LogOnRefused where the account was disabled or got another password meanwhile."""
    account = accounts.find(tx, plan.account.name)
    if account is None or account.disabled or not _same(account, plan.account):
        raise LogOnRefused
    at = plan.token.logged_on_at
    accounts.insert_token(tx, plan.token, at)
    journal.write(tx, at, "logged-on", account.mc_service_id, account=account.name)
    return plan.session


def caller(house: House, tx: Tx, secret: str) -> Caller:
    """Who holds this bearer token. Raises NotAuthenticated."""
    held = accounts.holder(tx, token_hash(secret), to_ms(house.clock()))
    if held is None:
        raise NotAuthenticated
    account, token = held
    return Caller(
        account=account.name,
        mc_service_id=account.mc_service_id,
        functional_aliases=tuple(filter(None, account.functional_aliases.split(","))),
        roles=tuple(account.roles.split(",")),
        logged_on_at=token.logged_on_at,
        automatic=bool(account.automatic),
        in_doubt=not claim.is_of(tx, account.mc_service_id, account.name),
    )


def end(house: House, tx: Tx, caller: Caller, secret: str) -> None:
    """The session of this bearer token ends; that of an OpenID provider's token ends there."""
    if accounts.delete_token(tx, token_hash(secret)):
        journal.write(tx, to_ms(house.clock()), "logged-off", caller.mc_service_id, account=caller.account)


def token_hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


@cache
def _hash_of_nobody() -> str:
    return hashed(secrets.token_urlsafe(32))
