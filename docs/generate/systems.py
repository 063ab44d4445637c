"""The two MC systems of the examples: fixed keys, certificates, ids and time; everything else is real."""

import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey
from starlette.types import ASGIApp, Message

from acmx.bootstrap.own import own
from acmx.bootstrap.vitals import Vitals
from acmx.config import Acm2 as Acm2Config
from acmx.config import Config
from acmx.delivery.check import Check
from acmx.delivery.outward import sockets
from acmx.delivery.supervisor import Supervisor
from acmx.domain.acm1 import NewAccount, SignIn
from acmx.domain.identities import Realms
from acmx.domain.partnership import Metadata
from acmx.faces.acm1.app import Acm1
from acmx.faces.acm1.authentication import Authentication
from acmx.faces.acm1.calls import Desk
from acmx.faces.acm1.notifications import Bell
from acmx.faces.acm1.passwords import Passwords
from acmx.faces.acm2.app import Acm2
from acmx.faces.acm2.peers import Peers
from acmx.faces.body import of_known
from acmx.flows.house import House
from acmx.flows.people import keep_accounts
from acmx.flows.people.attempts import Attempts
from acmx.flows.people.log_on import token_hash
from acmx.flows.people.refusals import Refusals
from acmx.storage import accounts
from acmx.storage.accounts import Token
from acmx.storage.engines.sqlite import SqliteStore
from acmx.trust.certificates import fingerprint_of_pem
from acmx.trust.keys import SigningKey
from acmx.trust.pinned import Pinned

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
CERTIFICATES = Path(__file__).parent.parent / "examples" / "certificates"
PASSWORD = "correct horse battery staple"  # noqa: S105

Place = tuple[str, str, int]


class Description(msgspec.Struct, frozen=True):
    """Who a system of the examples is. `seed` is the private key: public test material, never to be used."""

    system: str
    name: str
    contact: str
    hosts: tuple[str, ...]
    tel_prefixes: tuple[str, ...]
    seed: str
    certificate: str


POLICE = Description(
    system="mc.metro-police.example",
    name="Metropolitan Police",
    contact="control room, +1 555 010 0100",
    hosts=("mc.metro-police.example", "ims.mnc001.mcc001.3gppnetwork.org"),
    tel_prefixes=("+1555",),
    seed="9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",  # RFC 8037, appendix A.1
    certificate="metro-police.pem",
)
FIRE = Description(
    system="mc.county-fire.example",
    name="County Fire and Rescue Service",
    contact="watch room, +1 555 020 0200",
    hosts=("mc.county-fire.example",),
    tel_prefixes=(),
    seed="4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",  # RFC 8032, section 7.1, test 2
    certificate="county-fire.pem",
)
ACCOUNTS = {
    POLICE.system: (
        ("dispatcher", ("requester", "partner-administrator"), ("sip:duty-officer@{}",)),
        ("planner", ("identity-editor",), ()),
        ("chief", ("reviewer",), ()),
    ),
    FIRE.system: (
        ("watch-officer", ("reviewer", "partner-administrator", "identity-editor", "auditor"), ()),
        ("operator", ("operator",), ()),
    ),
}


class Clock:
    """The time of both systems; it moves only when told."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **spans: float) -> None:
        self.now += timedelta(**spans)


class Reply(msgspec.Struct, frozen=True):
    """What an application answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def signature(self) -> str | None:
        return self.headers.get("acm-signature")


class System:
    """One MC system without sockets: its faces are called in memory. `certificate` is the one it shows."""

    def __init__(
        self, described: Description, directory: Path, clock: Clock, mint: Callable[[], str]
    ) -> None:
        pem = (CERTIFICATES / described.certificate).read_text()
        for folder in ("keys", "tls"):
            (directory / folder).mkdir(parents=True)
        key = SigningKey(
            OKPKey.import_key(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(described.seed)))
        )
        key.save(directory / "keys" / "signing.pem")
        (directory / "tls" / "acm2.pem").write_text(pem)
        realms = Realms(described.hosts, (), described.tel_prefixes)
        config = Config(
            system=described.system,
            name=described.name,
            contact=described.contact,
            acm2=Acm2Config(address=f"https://acm.{described.system}:8442"),
            realms=realms,
        )
        self.id = described.system
        self.clock = clock
        self.key = key
        self.certificate = fingerprint_of_pem(pem)
        self.own = own(directory, config)
        self.metadata = msgspec.json.decode(self.own.metadata, type=Metadata)
        self.house = House(described.system, realms, clock, mint=mint)
        self.store = SqliteStore.open(directory / "acmx.db", on_fatal=_fail, make=True)
        self.peers = Peers(self.store, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), lambda _: None)
        refusals = Refusals(self.house, self.store)
        authentication = Authentication(self.house, self.store)
        bell = Bell(clock, authentication)
        vitals = Vitals(Supervisor(time.monotonic), list, lambda: None)
        check = Check(self.house, self.store, self.own, self._context_to, sockets(allow_local=True)).run
        passwords = Passwords(self.house, self.store, refusals, Attempts(time.monotonic))
        desk = Desk(self.house, self.store, self.own, bell.told_at, vitals, check, passwords)
        self.acm1 = Acm1(desk, bell, authentication, refusals, SignIn(self.id)).app()
        self.bodies = of_known()
        self.acm2 = Acm2(self.house, self.store, self.own, self.peers, refusals, self.bodies).app()

    def _context_to(self, peer: Pinned) -> ssl.SSLContext:
        raise NotImplementedError(peer.metadata.system)

    async def furnish(self) -> None:
        """The accounts of this system; the name of an account is its token."""
        for name, roles, aliases in ACCOUNTS[self.id]:
            new = NewAccount(
                name, f"sip:{name}@{self.id}", roles, PASSWORD, tuple(a.format(self.id) for a in aliases)
            )
            plan = keep_accounts.prepare(self.house, "examples", new)
            await self.store.write(partial(keep_accounts.apply, plan=plan))
            await self.log_on(name)

    async def log_on(self, name: str) -> None:
        """The name of an account is its token."""
        token = Token(token_hash(name), name, int(START.timestamp() * 1000), 2**52)
        await self.store.write(partial(accounts.insert_token, token=token, now=0))

    async def ask(self, method: str, path: str, document: Any = None, *, who: str, key: str = "") -> Reply:
        """One call of ACM-1."""
        body = b"" if document is None else msgspec.json.encode(document)
        headers = {"authorization": f"Bearer {who}"} | ({"idempotency-key": key} if key else {})
        return await call(self.acm1, method, f"/acm1/v1{path}", body, headers)

    def sign(self, body: bytes, *, to: str, place: Place | None = None, typ: Any = "acm-message") -> str:
        """The ACM-Signature of a body, made now. `place` is (primary, exchange, n)."""
        exchange, n = (f"{place[0]}/{place[1]}", place[2]) if place else (None, None)
        now = int(self.clock().timestamp())
        return self.own.sign(body, to=to, typ=typ, now=now, exchange=exchange, n=n)

    async def hear(
        self, certificate: str | None, place: Place, body: bytes, signature: str, **headers: str
    ) -> Reply:
        """A message that reaches this system's ACM-2."""
        primary, id_, n = place
        path = f"/acm2/v1/exchanges/{primary}/{id_}/messages/{n}"
        return await call(self.acm2, "PUT", path, body, {"acm-signature": signature, **headers}, certificate)

    async def hear_statement(self, certificate: str | None, body: bytes, signature: str) -> Reply:
        headers = {"acm-signature": signature}
        return await call(self.acm2, "POST", "/acm2/v1/partnership", body, headers, certificate)


@asynccontextmanager
async def two_systems(directory: Path, clock: Clock) -> AsyncIterator[tuple[System, System]]:
    """The police (primary) and the fire service (partner), which do not know each other yet."""
    police, fire = (
        System(described, directory / described.certificate, clock, exchange_ids(first))
        for described, first in ((POLICE, 1), (FIRE, 501))
    )
    systems = police, fire
    try:
        for system in systems:
            await system.furnish()
        yield police, fire
    finally:
        for system in systems:
            if system.store.alive:
                await system.store.close()


def exchange_ids(first: int = 1) -> Callable[[], str]:
    """UUIDs of version 7, one after the other."""
    minted = iter(range(first, first + 100))
    return lambda: f"01a2076b-4400-7000-8000-{next(minted):012d}"


async def call(
    app: ASGIApp,
    method: str,
    target: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    certificate: str | None = None,
) -> Reply:
    """One HTTP request to an application, by a client that has shown this certificate."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
        "client": ("192.0.2.1", 50000),
        "server": ("192.0.2.2", 8442),
        "extensions": {"tls": {"peer_certificate": certificate}},
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, *parts = sent
    answered = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return Reply(start["status"], answered, b"".join(part.get("body", b"") for part in parts))


def _fail(error: BaseException) -> None:
    raise AssertionError(error)
