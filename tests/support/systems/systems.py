"""Two real MC systems on loopback for the tests: real TLS listeners, real databases, one clock under control.

A template of two onboarded systems is made once a test process; every test gets copies of it.
"""

import asyncio
import atexit
import shutil
import ssl
import tempfile
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from inspect import isawaitable
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from acmx import config
from acmx.bootstrap.create import Settings, create
from acmx.bootstrap.database import open_store
from acmx.bootstrap.own import own
from acmx.bootstrap.server import Server
from acmx.cli.demo.ports import reserve_port
from acmx.delivery import clockwork
from acmx.domain.acm1 import NewAccount
from acmx.domain.errors import TemporarilyUnavailable
from acmx.domain.moments import to_ms
from acmx.flows.house import House
from acmx.flows.people import keep_accounts
from acmx.flows.people.log_on import token_hash
from acmx.kinds import KINDS
from acmx.storage import accounts
from acmx.storage.accounts import Account, Token
from acmx.storage.engine import Store, Tx
from acmx.storage.exchange.outbox import Outgoing
from acmx.storage.partnership import partners, terms
from acmx.storage.partnership.partners import Partner
from acmx.storage.partnership.terms import Terms
from acmx.trust.roles import ROLES
from acmx.trust.signatures import body_digest
from support.systems import engines

POLICE, FIRE = "mc.metro-police.example", "mc.county-fire.example"
EXAMPLES = Path(__file__).parents[3] / "examples"
START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
STANDS_STILL = 4.0
PASSWORD = "correct horse battery staple"


class Clock:
    """The time of every system in a test; it moves only when told. `steady` goes with it unless it jumps."""

    machine = "the machine of the tests"

    def __init__(self) -> None:
        self.now = START
        self.jumped = timedelta(0)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **spans: float) -> None:
        self.now += timedelta(**spans)

    def jump(self, **spans: float) -> None:
        """Somebody sets the clock."""
        self.now += timedelta(**spans)
        self.jumped += timedelta(**spans)

    def steady(self) -> float:
        return (self.now - self.jumped).timestamp()

    def another(self) -> "Clock":
        """That of another machine; it says the same now."""
        other = Clock()
        other.now, other.machine = self.now, f"{self.machine}'s neighbour"
        return other


RUNNING: list["System"] = []


class System:
    """One MC system: its directory, and while it runs its server. Accounts: `admin` (all roles), one for each role."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self.directory = directory
        self.clock = clock
        self.config = config.read(directory / "config.toml")
        self.id = self.config.system
        self.own = own(directory, self.config)
        self.house = House(self.id, self.config.realms, clock)
        self.running = False

    async def start(self) -> None:
        self.store = self.open_store()
        self.server = Server(
            self.directory, self.config, self.store, self.clock, self.clock.steady, self.clock.machine
        )
        await self.server.start()
        tls = ssl.create_default_context(cafile=self.directory / "tls" / "acm1.pem")
        tls.check_hostname = False
        self.http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls))
        self.running = True
        RUNNING.append(self)

    def open_store(self) -> Store:
        return open_store(self.directory, self.config, _fail)

    async def stop(self) -> None:
        if self.running:
            self.running = False
            RUNNING.remove(self)
            await self.http.close()
            await self.server.stop()

    def goes_by(self, clock: Clock) -> None:
        """From the next start on."""
        self.clock = clock
        self.house = House(self.id, self.config.realms, clock)

    def drop(self) -> None:
        """Its database is needed no more, if it is not a file."""
        if self.config.database:
            engines.spare(self.config.database)

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def tick(self) -> None:
        """What falls due by the clock alone."""
        while await clockwork.tick(self.house, self.store):
            pass

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server.ports[0]}/acm1/v1"

    @property
    def acm2(self) -> str:
        return f"https://127.0.0.1:{self.server.ports[1]}/acm2/v1"

    async def call(
        self, method: str, path: str, document: Any = None, *, account: str | None = "admin", **headers: str
    ) -> tuple[int, Any]:
        """Status and document of one ACM-1 call. bytes are sent as they are."""
        if account:
            headers["Authorization"] = f"Bearer {account}"
        body = document if isinstance(document, bytes | None) else msgspec.json.encode(document)
        stream = body and BytesIO(body)
        async with self.http.request(method, self.url + path, data=stream, headers=headers) as reply:
            return reply.status, msgspec.json.decode(await reply.read())

    async def done(self, method: str, path: str, document: Any = None, *, account: str = "admin") -> Any:
        """The document of an ACM-1 call that must succeed."""
        status, answer = await self.call(method, path, document, account=account)
        assert status in (200, 201), answer
        return answer

    async def submit(self, key: str = "key", *, account: str = "admin", **changes: Any) -> tuple[int, Any]:
        headers = {"Idempotency-Key": key}
        return await self.call("POST", "/requests", submission(**changes), account=account, **headers)

    async def exchange(self, id_: str, *, account: str = "admin") -> Any:
        return await self.done("GET", f"/requests/{id_}", account=account)

    async def reaches(self, id_: str, *states: str) -> Any:
        """The exchange, once it is in one of these states."""
        return await eventually(lambda: self.exchange(id_), lambda exchange: exchange["state"] in states)

    async def review(
        self,
        id_: str,
        *verdicts: dict[str, Any],
        reason: str = "as agreed",
        seen: str = "",
        account: str = "admin",
    ) -> tuple[int, Any]:
        seen = seen or (await self.exchange(id_))["seen"]
        document = {"verdicts": verdicts or [{"approved": True}], "reason": reason, "seen": seen}
        return await self.call("POST", f"/requests/{id_}/review", document, account=account)

    async def withdraw(self, id_: str, *, account: str = "admin") -> tuple[int, Any]:
        return await self.call("POST", f"/requests/{id_}/withdrawal", {}, account=account)

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return await self.store.read(lambda tx: tx.rows(sql))

    async def counts(self, *tables: str) -> dict[str, int]:
        """How many rows these tables hold; without names, those that an exchange is stored in."""
        named = tables or ("exchange", "message", "outbox", "idempotency")
        return {table: (await self.rows(f"SELECT COUNT(*) FROM {table}"))[0][0] for table in named}

    async def nudge(self, partner: str) -> None:
        """Wake the link to a partner, so that it looks at the clock again."""
        await self.store.write(lambda tx: tx.signal(Outgoing(partner)))


def submission(**changes: Any) -> dict[str, Any]:
    """A request of the police to the fire service for two users."""
    usual = {
        "kind": "server-identity",
        "partner": FIRE,
        "users": [f"sip:officer.{n}@{POLICE}" for n in (1, 2)],
        "purpose": "flood in the harbour district",
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


async def eventually(
    look: Callable[[], Any], is_so: Callable[[Any], bool], *, within: float = 15.0, time_passes: bool = True
) -> Any:
    """What `look` gives, awaited if need be, once it is so; the servers work in the same loop meanwhile.

    What was put off, as two systems spoke at once, would wait for ever on a clock that stands still: after a few
    seconds in vain it moves on, unless `time_passes` is false.
    """
    loop = asyncio.get_running_loop()
    begun = loop.time()
    passes_at = begun + STANDS_STILL
    while not is_so(found := await _looked(look)):
        assert loop.time() < begun + within, f"never came to be: {found}"
        if time_passes and loop.time() > passes_at:
            passes_at += 1
            await _time_passes()
        await asyncio.sleep(0.01)
    return found


async def _looked(look: Callable[[], Any]) -> Any:
    found = look()
    return await found if isawaitable(found) else found


async def turns(count: int = 1) -> None:
    """So many times, whatever is ready in this loop goes on to where it next waits."""
    for _ in range(count):
        await asyncio.sleep(0)


async def _time_passes() -> None:
    for clock in {system.clock for system in RUNNING}:
        clock.advance(seconds=2)
    for system in RUNNING:
        for partner in {POLICE, FIRE} - {system.id}:
            with suppress(TemporarilyUnavailable):
                await system.nudge(partner)


Two = tuple[System, System]
"""The police, who ask, and the fire service."""


@asynccontextmanager
async def two_systems(tmp: Path, *, start: bool = True) -> AsyncIterator[tuple[System, System]]:
    """The police (primary) and the fire service (partner), onboarded, the latter with its server identities."""
    clock = Clock()
    template = await asyncio.to_thread(_template, engines.current)
    systems = (
        copied(template / "police", tmp / "police", clock),
        copied(template / "fire", tmp / "fire", clock),
    )
    if start:
        for system in systems:
            await system.start()
    try:
        yield systems
    finally:
        for system in systems:
            await system.stop()
            system.drop()


def copied(template: Path, directory: Path, clock: Clock) -> System:
    """A system like one that does not run."""
    shutil.copytree(template, directory)
    theirs = config.read(directory / "config.toml").database
    if theirs:
        text = (directory / "config.toml").read_text()
        (directory / "config.toml").write_text(text.replace(theirs, engines.make(theirs)))
    return System(directory, clock)


@cache
def _template(engine: str) -> Path:
    """`engine`, the current one, tells the templates apart."""
    folder = Path(tempfile.mkdtemp(prefix=f"acmx-{engine}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    create(
        folder / "police",
        _settings(folder / "police", POLICE, ("ims.mnc001.mcc001.3gppnetwork.org", POLICE), ("+1555",)),
        Clock(),
    )
    create(folder / "fire", _settings(folder / "fire", FIRE, (FIRE,), ()), Clock())
    asyncio.run(_furnish(folder))
    return folder


def _settings(directory: Path, system: str, hosts: tuple[str, ...], prefixes: tuple[str, ...]) -> Settings:
    acm1, acm2 = reserve_port(), reserve_port()
    return Settings(
        system=system,
        name=system,
        database=engines.database(directory),
        account="admin",
        mc_service_id=f"sip:admin@{system}",
        password=PASSWORD,
        acm1=f"127.0.0.1:{acm1}",
        acm2=f"127.0.0.1:{acm2}",
        acm2_address=f"https://127.0.0.1:{acm2}",
        hosts=hosts,
        tel_prefixes=prefixes,
        allow_local=True,
    )


def befriend(tx: Tx, partner: Partner) -> None:
    """The system knows this partner, and exchanges every kind with it."""
    if not partners.insert(tx, partner):
        partners.replace(tx, partner)
    terms.put(tx, Terms(partner.id, " ".join(KINDS)))


async def _furnish(folder: Path) -> None:
    systems = System(folder / "police", Clock()), System(folder / "fire", Clock())
    for system, other in (systems, systems[::-1]):
        store = system.open_store()
        metadata = other.own.metadata
        partner = Partner(other.id, other.id, "accepted", "accepted", 0, metadata, body_digest(metadata))
        await store.write(lambda tx, partner=partner: befriend(tx, partner))
        for account in _accounts(system):
            await store.write(lambda tx, account=account: accounts.insert(tx, account))
        for name in ("admin", *ROLES):
            token = Token(token_hash(name), name, 0, 2**52)
            await store.write(lambda tx, token=token: accounts.insert_token(tx, token, 0))
        # What `create` wrote has the real time, which may be later than that of the tests.
        await store.write(lambda tx: tx.execute("UPDATE journal SET at = :at", {"at": to_ms(START)}))
        await store.close()
    fire = systems[1]
    await fire.start()
    catalogue = tomllib.loads((EXAMPLES / "catalogues" / "county-fire.toml").read_text())
    await fire.done("PUT", "/server-identities", {"server_identity": catalogue})
    await fire.stop()


def _accounts(system: System) -> list[Account]:
    return [
        keep_accounts.prepare(
            system.house, "tests", NewAccount(role, f"sip:{role}@{system.id}", (role,), PASSWORD)
        ).account
        for role in ROLES
    ]


def _fail(error: BaseException) -> None:
    raise AssertionError(error)
