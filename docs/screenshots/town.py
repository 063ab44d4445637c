"""Two real MC systems with a morning's work behind them: who is there, and what they have asked and answered."""

import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import tomli_w

from acmx import config
from acmx.bootstrap.own import own
from acmx.domain.acm1 import NewAccount
from acmx.domain.moments import text, to_ms
from acmx.flows.people import keep_accounts
from acmx.flows.people.log_on import token_hash
from acmx.kinds import KINDS
from acmx.storage import accounts
from acmx.storage.accounts import Token
from acmx.storage.partnership.partners import Partner
from acmx.trust.roles import ROLES
from acmx.trust.signatures import body_digest
from support.partner.xcap import Xcap, path_of, xcap_server
from support.systems.systems import (
    EXAMPLES,
    FIRE,
    PASSWORD,
    POLICE,
    System,
    befriend,
    eventually,
    two_systems,
)

NAMES = {POLICE: "Metropolitan Police", FIRE: "County Fire and Rescue Service"}
LIST = (EXAMPLES / "users" / "twenty.txt").read_text()
OFFICERS = [line for line in LIST.splitlines() if line.startswith(("sip:", "tel:"))]
POLICY = (EXAMPLES / "policies" / "small-teams.cedar").read_text()
TIGHTER = """// Teams of five at most are admitted without a person.
@id("five-of-the-police")
permit (
  principal == MCSystem::"mc.metro-police.example",
  action == Action::"approve",
  resource == Kind::"server-identity"
) when { context.users <= 5 };
"""
WELL = "UPDATE partner SET last_error = NULL, failures = 0, last_success_at = :at WHERE id = :id"
SERVICES = ("mcptt", "mcdata")
ADMIN = f"sip:admin@{POLICE}"


class Town(msgspec.Struct, frozen=True):
    """The two systems, and the ids of the exchanges that are shown."""

    police: System
    fire: System
    asked: dict[str, str]


@asynccontextmanager
async def town(folder: Path) -> AsyncIterator[Town]:
    async with xcap_server(folder) as cms, two_systems(folder / "systems", start=False) as (police, fire):
        for system in (police, fire):
            _name(system, {"root": cms.url, "ca_file": str(folder / "cms.pem")} if system is police else {})
            await _before_anything(system)
            await system.start()
        await _meet(police, fire)
        await _set_up(police, fire)
        asked = await _morning(police, fire)
        await _profiles(cms, police, asked["night"])
        await _know_others(police, fire)
        yield Town(police, fire, asked)


def _name(system: System, xcap: dict[str, str]) -> None:
    path = system.directory / "config.toml"
    document = tomllib.loads(path.read_text())
    document |= {"name": NAMES[system.id], "contact": f"control-room@{system.id}, +1 555 0100"}
    document["xcap"] |= xcap
    path.write_text(tomli_w.dumps(document))
    system.config = config.read(path)
    system.own = own(system.directory, system.config)


async def _before_anything(system: System) -> None:
    """It knows nobody yet; five people work there."""
    store = system.open_store()
    await store.write(lambda tx: tx.execute("DELETE FROM partner"))
    for name, roles in {
        "a.weber": ("requester", "identity-editor"),
        "m.okafor": ("reviewer", "requester"),
        "k.lindqvist": ("partner-administrator", "operator"),
        "s.moreau": ("auditor",),
        "j.brandt": tuple(ROLES),
    }.items():
        new = NewAccount(name, f"sip:{name}@{system.id}", roles, PASSWORD)
        account = keep_accounts.prepare(system.house, "j.brandt", new).account
        await store.write(lambda tx, account=account: accounts.insert(tx, account))
        token = Token(token_hash(name), name, 0, 2**52)
        await store.write(lambda tx, token=token: accounts.insert_token(tx, token, 0))
    await store.close()


async def _meet(police: System, fire: System) -> None:
    both = ((police, fire), (fire, police))
    for one, other in both:
        await one.done("POST", "/partners", await other.done("GET", "/partner-file"), account="k.lindqvist")
    for one, other in both:
        police.clock.advance(minutes=2)
        compared = {"thumbprints": [other.own.key.kid], "kinds": list(KINDS)}
        await one.done("POST", f"/partners/{other.id}/acceptance", compared, account="k.lindqvist")
    for one, other in both:
        await eventually(
            lambda one=one, other=other: one.done("GET", f"/partners/{other.id}"),
            lambda partner: partner["state"] == "established",
        )


async def _set_up(police: System, fire: System) -> None:
    theirs = tomllib.loads((EXAMPLES / "catalogues" / "metro-police.toml").read_text())
    await police.done("PUT", "/server-identities", {"server_identity": theirs}, account="a.weber")
    template = tomllib.loads((EXAMPLES / "templates" / "county-fire.toml").read_text()) | {"admin_xui": ADMIN}
    await police.done("PUT", f"/partners/{FIRE}/template", {"template": template}, account="a.weber")
    await fire.done("PUT", "/policy", {"text": POLICY}, account="k.lindqvist")


async def _know_others(police: System, fire: System) -> None:
    """Partners that do not run here, in the states that people meet."""
    now = to_ms(police.clock())

    def other(id_: str, name: str, here: str, there: str) -> Partner:
        said = {
            "system": id_,
            "name": name,
            "address": f"https://acm.{id_}:8442",
            "contact": f"duty@{id_}",
            "realms": {"hosts": [id_]},
        }
        metadata = msgspec.json.encode(msgspec.json.decode(fire.own.metadata) | said)
        return Partner(id_, name, here, there, now, metadata, body_digest(metadata), told=here)  # type: ignore[arg-type]

    known = (
        other("frmcs.railway.example", "Northern Railway", "accepted", "accepted"),
        other("mc.ambulance.example", "Regional Ambulance Service", "accepted", "suspended"),
        other("mc.coast-guard.example", "Coast Guard", "offered", "offered"),
    )
    for partner in known:
        await police.store.write(lambda tx, partner=partner: befriend(tx, partner))
    for partner, minutes in zip(known, (4, 150), strict=False):
        await eventually(
            lambda partner=partner: police.done("GET", f"/partners/{partner.id}"),
            lambda one: "last_error" in one,
        )
        seen = {"id": partner.id, "at": now - minutes * 60_000}
        await police.store.write(lambda tx, seen=seen: tx.execute(WELL, seen))


async def _morning(police: System, fire: System) -> dict[str, str]:
    """What is asked, and what becomes of it."""
    ends = text(police.clock() + timedelta(days=14))
    asked: dict[str, str] = {}

    async def ask(key: str, purpose: str, users: int, **more: object) -> str:
        police.clock.advance(minutes=7)
        named = [OFFICERS[(n + len(asked)) % len(OFFICERS)] for n in range(users)]
        status, accepted = await police.submit(key, account="a.weber", purpose=purpose, users=named, **more)
        assert status == 201, accepted
        asked[key] = accepted["id"]
        await police.reaches(asked[key], "stored", "answered")
        return asked[key]

    async def decide(key: str, reason: str, *verdicts: dict[str, object]) -> None:
        police.clock.advance(minutes=4)
        await fire.review(asked[key], *verdicts, reason=reason, account="m.okafor")
        await police.reaches(asked[key], "answered")

    async def fetch(key: str) -> None:
        await police.reaches(asked[key], "answered")
        police.clock.advance(minutes=1)
        await police.done("POST", f"/requests/{asked[key]}/retrieval", {}, account="a.weber")
        await fire.reaches(asked[key], "delivered")

    await ask("night", "Night exercise Iron Bridge, joint command post", 6, valid_until=ends)
    await decide("night", "As agreed with the exercise staff, annex 3 of the plan")
    await fetch("night")
    await ask(
        "patrol",
        "Boat patrol with the fire service, river sector 4",
        4,
        reference="MOU-2026-17",
        valid_until=ends,
    )
    await fetch("patrol")
    await ask("visit", "Visit of a head of state, motorcade", 16, reference="OP-2231")
    await decide("visit", "The fire service has no part in this operation", {"approved": False})
    await ask("tunnel", "Rail tunnel rescue, east portal", 8)
    first = [OFFICERS[(3 + n) % len(OFFICERS)] for n in range(5)]
    yes = {"approved": True, "users": first}
    await decide("tunnel", "The five who stand at the portal", yes, {"approved": False})
    await ask("search", "Search for a missing child, Greenwood", 6, urgency="urgent")
    await decide("search", "All units of the search are welcome")
    await ask("final", "Football final, stadium district", 18, reference="EV-0412")
    question = {"text": "Which of them stand inside the stadium?"}
    await fire.done("POST", f"/requests/{asked['final']}/questions", question, account="m.okafor")
    await police.reaches(asked["final"], "more_information")
    await ask("spill", "Chemical spill on ring road 7", 5, reference="INC-88213")
    soon = text(police.clock() + timedelta(hours=3))
    await ask("flood", "Flood in the harbour district, boats and crews of both services", 20,
              urgency="urgent", expires_at=soon, valid_until=ends)  # fmt: skip
    await _fire_asks(police, fire)
    return asked


async def _fire_asks(police: System, fire: System) -> None:
    crews = [f"sip:{crew}@{FIRE}" for crew in ("dive-1", "dive-2", "boat-7")]
    purpose = "Divers join the search of the river police"
    fire.clock.advance(minutes=5)
    _, accepted = await fire.submit("dive", account="m.okafor", partner=POLICE, users=crews, purpose=purpose)
    await fire.reaches(accepted["id"], "stored")
    await police.review(accepted["id"], reason="As on the last three occasions", account="m.okafor")
    await fire.reaches(accepted["id"], "answered")
    fire.clock.advance(minutes=3)


async def _profiles(cms: Xcap, police: System, id_: str) -> None:
    """The own CMS has the profiles of everybody who was approved, but for one."""
    users = (await police.exchange(id_))["users"]
    cms.put_profiles(users, *SERVICES)
    del cms.documents[path_of("mcdata", users[-1])]
