"""The two MC systems of the demo: set up, started, connected as partners, with people who log on."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import msgspec

from acmx.bootstrap.create import Settings, create
from acmx.cli.demo.patience import eventually
from acmx.cli.demo.ports import reserve_port
from acmx.cli.session.profiles import Profile, save
from acmx.cli.terminal import out
from acmx.client import Client
from acmx.domain.acm1 import Acceptance, NewIdentities
from acmx.domain.errors import Unreachable
from acmx.domain.partnership import Metadata

POLICE, FIRE = "mc.metro-police.example", "mc.county-fire.example"
PASSWORD = "only-for-the-demo"  # noqa: S105
STOPS_WITHIN = 15.0


@dataclass(frozen=True)
class System:
    """One MC system and its running ACM server."""

    id: str
    folder: Path
    url: str

    def log_on(self, account: str) -> Client:
        client = Client(self.url, certificate=self.folder / "tls" / "acm1.pem")
        session = client.log_on(account, PASSWORD)
        certificate = (self.folder / "tls" / "acm1.pem").read_text()
        save(Profile(account, self.url, session, certificate))
        return client


@dataclass(frozen=True)
class Neighbours:
    """The police (primary) and the fire service (partner). `profiles` is the XDG_CONFIG_HOME of their log-ons."""

    police: System
    fire: System
    profiles: Path

    def what_to_try(self) -> str:
        return f"""
Both servers stay up until Ctrl-C. The console of each, for a browser (its certificate is made here: go on past the
warning), and who signs in there:

  {self.police.url}/   silva   {PASSWORD}
  {self.fire.url}/   okoye   {PASSWORD}

In another terminal, try as either side (profiles: silva, okoye):

  export XDG_CONFIG_HOME={self.profiles}
  acmx requests --as silva
  acmx request server-identity --as silva --partner {FIRE} \\
       --user sip:officer.9@{POLICE} --purpose "bridge closed"
  acmx pending --as okoye
  acmx review ID --approve --reason "as agreed" --as okoye
  acmx show ID --as silva
  acmx fetch ID --as silva
  acmx partner list --as silva
"""


@contextmanager
def neighbours(folder: Path) -> Iterator[Neighbours]:
    """Both systems, up and onboarded; their servers end with the block."""
    profiles = folder / "profiles"
    os.environ["XDG_CONFIG_HOME"] = str(profiles)
    out().print("Setting up two MC systems on this machine ...")
    police = _set_up(folder / "police", POLICE, "Metropolitan Police", "silva", ("+1555",))
    fire = _set_up(folder / "fire", FIRE, "County Fire and Rescue Service", "okoye", ())
    servers = [_start(system) for system in (police, fire)]
    try:
        both = Neighbours(police, fire, profiles)
        _connect(both)
        yield both
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait(STOPS_WITHIN)


def _set_up(folder: Path, system: str, name: str, first_account: str, prefixes: tuple[str, ...]) -> System:
    acm1, acm2 = reserve_port(), reserve_port()
    settings = Settings(
        system=system,
        name=name,
        contact=f"operations room of the {name}",
        account=first_account,
        mc_service_id=f"sip:{first_account}@{system}",
        password=PASSWORD,
        acm1=f"127.0.0.1:{acm1}",
        acm2=f"127.0.0.1:{acm2}",
        acm2_address=f"https://127.0.0.1:{acm2}",
        hosts=(system,),
        tel_prefixes=prefixes,
        allow_local=True,
    )
    create(folder, settings)
    return System(system, folder, f"https://127.0.0.1:{acm1}")


def _start(system: System) -> subprocess.Popen[bytes]:
    with (system.folder / "server.log").open("wb") as log:
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "acmx", "serve", str(system.folder)],
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )


def _connect(both: Neighbours) -> None:
    police = eventually(lambda: _reached(both.police, "silva"), "the server of the police to start")
    fire = eventually(lambda: _reached(both.fire, "okoye"), "the server of the fire service to start")
    police.add_partner(fire.partner_file())
    fire.add_partner(police.partner_file())
    police.accept_partner(FIRE, _keys_of(fire))
    fire.accept_partner(POLICE, _keys_of(police))
    eventually(lambda: police.partner(FIRE).state == "established", "the partnership as the police see it")
    eventually(
        lambda: fire.partner(POLICE).state == "established", "the partnership as the fire service sees it"
    )
    catalogue = tomllib.loads(files(__package__).joinpath("county-fire.toml").read_text())
    fire.set_identities(NewIdentities(catalogue))
    out().print(f"A is {POLICE}, B is {FIRE}.")


def _keys_of(system: Client) -> Acceptance:
    """What people of this system read out over the telephone, and every kind that it knows."""
    metadata = msgspec.json.decode(system.partner_file().metadata, type=Metadata)
    return Acceptance(tuple(key.kid for key in metadata.keys), tuple(kind.kind for kind in metadata.kinds))


def _reached(system: System, account: str) -> Client | None:
    try:
        return system.log_on(account)
    except Unreachable:
        return None
