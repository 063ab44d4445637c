"""Two onboarded MC systems in a folder: the police asks, the fire service answers by its policy."""

import asyncio
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from acmx import config
from acmx.bootstrap.create import Settings, create
from acmx.bootstrap.database import open_store
from acmx.bootstrap.own import own
from acmx.cli.demo.ports import reserve_port
from acmx.domain.acm1 import NewIdentities
from acmx.flows.holdings import enter_identities
from acmx.flows.house import House
from acmx.flows.people.log_on import token_hash
from acmx.kinds import KINDS
from acmx.storage import accounts, policies
from acmx.storage.accounts import Token
from acmx.storage.engine import Tx
from acmx.storage.partnership import partners, terms
from acmx.storage.partnership.partners import Partner
from acmx.storage.partnership.terms import Terms
from acmx.storage.policies import PolicyText
from acmx.trust.roles import ROLES, Caller
from acmx.trust.signatures import body_digest

POLICE, FIRE = "mc.metro-police.example", "mc.county-fire.example"
TOKEN = "bench"
ACCOUNT, PASSWORD = "admin", "bench bench bench bench"
USERS = tuple(f"sip:officer.{n}@{POLICE}" for n in range(20))
MANY = 1_000_000
PURPOSE = "flood in the harbour district: boats and crews of both services"
CATALOGUE = Path(__file__).parent.parent / "examples" / "catalogues" / "county-fire.toml"


def onboard(
    folder: Path,
    *,
    approves: int,
    via: Mapping[str, str] = MappingProxyType({}),
    databases: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Make `folder`/police and `folder`/fire; the latter's policy approves lists of up to `approves` users.

    `TOKEN` is a bearer token of both, with every role. `via`: the addresses at which partners reach a system, by
    its MC system ID, where that is not its own listener. `databases`: those of PostgreSQL, likewise.
    """
    folder.mkdir(exist_ok=True)
    for system, id_ in (("police", POLICE), ("fire", FIRE)):
        create(folder / system, settings(id_, via.get(id_), databases.get(id_, "")))
    asyncio.run(_furnish(folder / "police", folder / "fire", ""))
    asyncio.run(_furnish(folder / "fire", folder / "police", _policy(approves)))


def give_up(error: BaseException) -> None:
    """After a failed fsync no figure means anything."""
    raise SystemExit(str(error))


def _policy(approves: int) -> str:
    return f"""
    @id("small-lists")
    permit (principal == MCSystem::"{POLICE}", action == Action::"approve", resource == Kind::"server-identity")
    when {{ context.users <= {approves} }};
    """


def partner_of(directory: Path) -> Partner:
    """The system in this directory, as an established partner is pinned."""
    there = config.read(directory / "config.toml")
    metadata = own(directory, there).metadata
    return Partner(there.system, there.name, "accepted", "accepted", 0, metadata, body_digest(metadata))


async def _furnish(directory: Path, partner: Path, policy: str) -> None:
    here = config.read(directory / "config.toml")
    house = House(here.system, here.realms, lambda: datetime.now(UTC))
    caller = Caller("admin", f"sip:admin@{here.system}", (), tuple(ROLES), 0)
    catalogue = NewIdentities(tomllib.loads(CATALOGUE.read_text()) | {"mc_system_id": here.system})

    def furnish(tx: Tx) -> None:
        there = partner_of(partner)
        partners.insert(tx, there)
        terms.put(tx, Terms(there.id, " ".join(KINDS), max_open=MANY, max_per_hour=MANY))
        policies.insert(tx, PolicyText(2, policy, 0, "bench"))
        accounts.insert_token(tx, Token(token_hash(TOKEN), "admin", 0, 2**52), 0)
        enter_identities.apply(tx, enter_identities.prepare(house, tx, caller, catalogue))

    store = open_store(directory, here, give_up)
    await store.write(furnish)
    await store.close()


def settings(system: str, via: str | None = None, database: str = "") -> Settings:
    """Of an ACM server on free ports of the loopback address."""
    acm1, acm2 = reserve_port(), reserve_port()
    return Settings(
        system=system,
        name=system,
        database=database,
        account=ACCOUNT,
        mc_service_id=f"sip:admin@{system}",
        password=PASSWORD,
        acm1=f"127.0.0.1:{acm1}",
        acm2=f"127.0.0.1:{acm2}",
        acm2_address=via or f"https://127.0.0.1:{acm2}",
        allow_local=True,
    )
