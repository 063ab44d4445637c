"""Steps 7 and 15: a person logs on with a local account and gets a bearer token."""

import secrets
from datetime import timedelta
from functools import cache
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error
from msgspec import Struct

from acmx.domain.acm1 import Credentials, Session
from acmx.domain.errors import NotAuthenticated
from acmx.domain.moments import to_ms, whole
from acmx.flows.house import House
from acmx.storage import accounts, journal
from acmx.storage.accounts import Account, Token
from acmx.storage.engine import Tx
from acmx.trust.roles import Caller

LASTS = timedelta(hours=12)
_hasher = PasswordHasher()


class Plan(Struct, frozen=True):
    """The session that begins, or None where the password is wrong."""

    account: str
    at: int
    session: Session | None
    token: Token | None


def hashed(password: str) -> str:
    """argon2id."""
    return _hasher.hash(password)


def prepare(house: House, account: Account | None, credentials: Credentials) -> Plan:
    """Slow by purpose (argon2id), for unknown accounts too: run it outside the event loop."""
    now = whole(house.clock())
    password_hash = account.password_hash if account else _hash_of_nobody()
    try:
        _hasher.verify(password_hash, credentials.password)
    except Argon2Error:
        account = None
    if account is None or account.disabled:
        return Plan(credentials.account[:64], to_ms(now), None, None)
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
    return Plan(
        account.name, to_ms(now), session, Token(token_hash(secret), account.name, to_ms(now), to_ms(ends))
    )


def apply(tx: Tx, plan: Plan) -> Session | None:
    if plan.session is None or plan.token is None:
        journal.write(tx, plan.at, "log-on-refused", plan.account)
        return None
    accounts.insert_token(tx, plan.token, plan.at)
    journal.write(tx, plan.at, "logged-on", plan.session.mc_service_id, account=plan.account)
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
    )


def token_hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


@cache
def _hash_of_nobody() -> str:
    return hashed(secrets.token_urlsafe(32))
