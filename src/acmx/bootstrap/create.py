"""The directory of an ACM server: what lies where, and what a new one holds."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from importlib.resources import files
from pathlib import Path

from msgspec import Struct

from acmx import config
from acmx.bootstrap.database import filling, make_store
from acmx.bootstrap.new_directory import CONFIG, new_directory
from acmx.config import Acm1, Acm2, Config, Delivery
from acmx.domain.acm1 import NewAccount
from acmx.domain.documents import convert
from acmx.domain.errors import AlreadyThere, FaultyInput
from acmx.domain.identities import Realms
from acmx.domain.moments import Clock
from acmx.flows.house import House
from acmx.flows.people import keep_accounts
from acmx.flows.policy import set_policy
from acmx.storage import own_system, policies
from acmx.storage.engine import Tx
from acmx.storage.journal import OnBehalf
from acmx.trust.certificates import self_signed
from acmx.trust.keys import SigningKey, write_secret
from acmx.trust.roles import ROLES, Caller

KEYS = "keys"
SIGNING_KEY = "keys/signing.pem"
TLS = "tls"
ACM1_CERTIFICATE, ACM1_KEY = "tls/acm1.pem", "tls/acm1.key"
ACM2_CERTIFICATE, ACM2_KEY = "tls/acm2.pem", "tls/acm2.key"

CERTIFICATE_DAYS = 825
machine_clock = partial(datetime.now, UTC)


class Settings(Struct, frozen=True, kw_only=True):
    """What `create` must be told; no `hosts` means the MC system ID alone. `account` is the first account."""

    system: str
    name: str
    contact: str = ""
    database: str = ""
    account: str
    mc_service_id: str
    password: str
    acm1: str
    acm2: str
    acm2_address: str
    hosts: tuple[str, ...] = ()
    phone_contexts: tuple[str, ...] = ()
    tel_prefixes: tuple[str, ...] = ()
    allow_local: bool = False


def create(directory: Path, settings: Settings, clock: Clock = machine_clock) -> None:
    """Make the directory of a new ACM server (mode 0700, its files 0600).

    It holds a configuration, a signing key, TLS certificates, a database with the shipped policy as version 1
    and the first account, which has every role. Not inside a running event loop.
    Raises FaultyInput; AlreadyThere where the directory or the database is not empty; Misconfigured, OSError;
    TemporarilyUnavailable where the synchronous standby of the database does not confirm what is in it.
    """
    chosen = _config(settings)
    if found := config.faults(chosen):
        raise FaultyInput(found)
    house = House(chosen.system, chosen.realms, clock)
    account = keep_accounts.prepare(house, settings.mc_service_id, _first_account(settings))
    with new_directory(directory) as draft:
        config.write(draft / CONFIG, chosen)
        _make_keys(draft, chosen, clock())
        asyncio.run(_fill(draft, chosen, house, account))


def _config(settings: Settings) -> Config:
    return Config(
        system=settings.system,
        name=settings.name,
        contact=settings.contact,
        database=settings.database,
        acm1=Acm1(settings.acm1),
        acm2=Acm2(settings.acm2, settings.acm2_address),
        realms=Realms(settings.hosts or (settings.system,), settings.phone_contexts, settings.tel_prefixes),
        delivery=Delivery(allow_local=settings.allow_local),
    )


def _first_account(settings: Settings) -> NewAccount:
    document = {
        "name": settings.account,
        "mc_service_id": settings.mc_service_id,
        "roles": list(ROLES),
        "password": settings.password,
    }
    return convert(document, NewAccount, at="account")


def _make_keys(draft: Path, chosen: Config, now: datetime) -> None:
    for folder in (KEYS, TLS):
        (draft / folder).mkdir(mode=0o700)
    SigningKey.generate().save(draft / SIGNING_KEY)
    acm1_host, _ = config.endpoint(chosen.acm1.listen)
    acm2_host = config.host_of(chosen.acm2.address)
    for certificate, key, hosts in (
        (ACM1_CERTIFICATE, ACM1_KEY, (acm1_host, "localhost")),
        (ACM2_CERTIFICATE, ACM2_KEY, (chosen.system, acm2_host)),
    ):
        names = list(dict.fromkeys(hosts))
        certificate_pem, key_pem = self_signed(names[0], names, now=now, days=CERTIFICATE_DAYS)
        write_secret(draft / certificate, certificate_pem)
        write_secret(draft / key, key_pem)


async def _fill(draft: Path, chosen: Config, house: House, account: keep_accounts.Plan) -> None:
    """A failed fsync needs no more than the refusal that follows: the draft is thrown away."""
    policy = files("acmx.trust").joinpath("default_policy.cedar").read_text(encoding="utf-8")
    first = account.account
    caller = Caller(first.name, first.mc_service_id, (), tuple(ROLES), first.created_at)

    def fill(tx: Tx) -> None:
        if policies.current_version(tx):
            raise AlreadyThere("The database holds an ACM server.")
        tx = OnBehalf(tx, caller.mc_service_id, caller.by)
        own_system.keep(tx, house.system)
        keep_accounts.apply(tx, account)
        set_policy.apply(tx, set_policy.prepare(house, tx, caller, policy))

    with filling(chosen):
        store = make_store(draft, chosen)
        try:
            await store.write(fill)
        finally:
            await store.close()
