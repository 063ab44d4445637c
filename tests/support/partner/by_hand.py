"""A partner MC system without a server: the test writes, signs and answers every message by hand."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Self

import aiohttp
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uuid_utils import uuid7

from acmx.domain.identities import Realms
from acmx.domain.messages import PROBLEM
from acmx.domain.moments import text
from acmx.domain.partnership import Metadata, PublishedKey
from acmx.faces.listener import Listener
from acmx.kinds import SUPPORTED
from acmx.storage.partnership.partners import Partner
from acmx.trust import certificates, tls
from acmx.trust.keys import SigningKey, public_key
from acmx.trust.own import Own
from acmx.trust.signatures import body_digest, verify
from support.systems.systems import Clock, System, befriend

BEYOND = "mc.coast-guard.example"


class Answer(msgspec.Struct, frozen=True):
    """What the other side said. `typ` is that of its signature, which has been verified; None: unsigned."""

    status: int
    typ: str | None
    body: bytes
    signature: str | None
    headers: Mapping[str, str]

    @property
    def document(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def problem(self) -> str:
        return str(self.document["type"].removeprefix(PROBLEM))


@dataclass
class ByHand:
    """One partner. `heard` are the messages that it was sent: path, body, signature.

    In a comparison it names the exchanges `listed`, and gives back what is `given` by path.
    """

    own: Own
    certificate: Path
    key: Path
    clock: Clock
    listen: str = "127.0.0.1:9"
    heard: list[tuple[str, bytes, str]] = field(default_factory=list)
    listed: list[dict[str, Any]] = field(default_factory=list)
    given: dict[str, tuple[bytes, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, system: System) -> Self:
        """Speaks for a system whose server is not running."""
        folder = system.directory / "tls"
        listen = system.config.acm2.listen
        return cls(system.own, folder / "acm2.pem", folder / "acm2.key", system.clock, listen)

    @classmethod
    def new(cls, folder: Path, clock: Clock, system: str = BEYOND) -> Self:
        """A system of which nobody knows yet."""
        certificate, secret = certificates.self_signed(system, ["127.0.0.1"], now=datetime.now(UTC), days=2)
        paths = folder / f"{system}.pem", folder / f"{system}.key"
        for path, pem in zip(paths, (certificate, secret), strict=True):
            path.write_bytes(pem)
        key = SigningKey.generate()
        metadata = Metadata(
            version="1.0",
            system=system,
            name=system,
            address="https://127.0.0.1:9",
            keys=(PublishedKey(key.kid, key.public_jwk["x"]),),
            certificates=(certificate.decode(),),
            realms=Realms(hosts=(system,)),
            kinds=SUPPORTED,
            versions=("1.0",),
        )
        return cls(Own(system, key, msgspec.json.encode(metadata)), *paths, clock)

    @property
    def id(self) -> str:
        return self.own.system

    def request(self, to: System, **changes: Any) -> dict[str, Any]:
        usual = self._message(
            to,
            str(uuid7()),
            type="request",
            kind="server-identity",
            asker={"mc_service_id": f"sip:requester@{self.id}"},
            expires_at="2026-12-23T08:00:00Z",
            users=[f"sip:officer.{n}@{self.id}" for n in (1, 2)],
            purpose="flood in the harbour district",
        )
        return usual | changes

    def response(self, to: System, request: bytes, **changes: Any) -> dict[str, Any]:
        """It declines, unless changed."""
        asked = msgspec.json.decode(request)
        usual = self._message(
            to,
            asked["exchange"],
            type="response",
            answers=body_digest(request),
            asker=asked["asker"],
            outcome="declined",
            handler={"by": "policy"},
            decided_at=text(self.clock()),
            verdicts=[{"approved": False, "users": asked["users"]}],
        )
        return usual | changes

    def withdrawal(self, to: System, exchange: str, **changes: Any) -> dict[str, Any]:
        asker = {"mc_service_id": f"sip:requester@{self.id}"}
        return self._message(to, exchange, type="withdrawal", n=2, asker=asker) | changes

    def _message(self, to: System, exchange: str, **members: Any) -> dict[str, Any]:
        usual = {"version": "1.0", "exchange": exchange, "n": 1, "from": self.id, "to": to.id}
        return usual | {"created_at": text(self.clock())} | members

    def sealed(self, body: bytes, to: str, exchange: str, n: int, /, **changes: Any) -> str:
        """The ACM-Signature of a message; `changes` make it one for something else."""
        usual = {"to": to, "typ": "acm-message", "exchange": exchange, "n": n, "now": self._now()}
        return self.own.sign(body, **(usual | changes))

    async def put(
        self,
        peer: System,
        message: dict[str, Any] | bytes,
        /,
        *,
        at: tuple[str, str, int] | None = None,
        seal: str | None = "",
        shown: "ByHand | None" = None,
        headers: Mapping[str, str] | None = None,
        **sealed_for: Any,
    ) -> Answer:
        """Send a message to its place, or to another. `seal` None sends none; `shown` lends its certificate."""
        body = message if isinstance(message, bytes) else msgspec.json.encode(message)
        primary, id_, n = at or self._place(peer, message)
        exchange = f"{primary}/{id_}"
        given = dict(headers or {})
        if seal is not None:
            given["ACM-Signature"] = seal or self.sealed(body, peer.id, exchange, n, **sealed_for)
        url = f"{peer.acm2}/exchanges/{exchange}/messages/{n}"
        who = shown or self
        async with who.connected(peer) as http, http.put(url, data=BytesIO(body), headers=given) as reply:
            said, signature = await reply.read(), reply.headers.get("ACM-Signature")
            typ = who.verified(peer, said, signature, exchange, n) if signature else None
            return Answer(reply.status, typ, said, signature, dict(reply.headers))

    @asynccontextmanager
    async def connected(self, to: System) -> AsyncIterator[aiohttp.ClientSession]:
        """Mutual TLS, as this partner."""
        pinned = (to.directory / "tls" / "acm2.pem").read_text()
        context = tls.client_context(self.certificate, self.key, [pinned])
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as http:
            yield http

    def verified(self, by: System, body: bytes, signature: str, exchange: str, n: int) -> str:
        """The typ of a reply's signature. Raises BadSignature."""
        key = public_key(by.own.key.public_jwk)
        names = {"iss": by.id, "aud": self.id, "typ": ("acm-receipt", "acm-refusal")}
        return verify(signature, body, {key.kid: key}, exchange=exchange, n=n, now=self._now(), **names).typ

    def _place(self, to: System, message: dict[str, Any] | bytes) -> tuple[str, str, int]:
        document = message if isinstance(message, dict) else msgspec.json.decode(message)
        primary = to.id if document["type"] == "response" else self.id
        return primary, document["exchange"], document["n"]

    def receipt(self, heard: tuple[str, bytes, str], status: str = "stored") -> Response:
        path, body, _ = heard
        said = {"type": "receipt", "status": status} | self._about(path, body)
        return self._reply(path, said, 200, "acm-receipt")

    def refusal(self, heard: tuple[str, bytes, str], type_: str, *, final: bool) -> Response:
        path, body, _ = heard
        said = {"type": PROBLEM + type_, "title": "No.", "status": 422, "final": final}
        return self._reply(path, said | self._about(path, body), 422, "acm-refusal")

    def _about(self, path: str, body: bytes) -> dict[str, Any]:
        message = msgspec.json.decode(body)
        return {
            "version": "1.0",
            "exchange": message["exchange"],
            "n": message["n"],
            "from": self.id,
            "to": message["from"],
            "created_at": text(self.clock()),
            "digest": body_digest(body),
        }

    def _reply(self, path: str, said: dict[str, Any], status: int, typ: str) -> Response:
        _, _, _, _, primary, id_, _, n = path.split("/")
        body = msgspec.json.encode(said)
        seal = self.sealed(body, said["to"], f"{primary}/{id_}", int(n), typ=typ)
        return Response(body, status, headers={"ACM-Signature": seal})

    @asynccontextmanager
    async def serving(
        self, peer: System, answer: Callable[[tuple[str, bytes, str]], Awaitable[Response]]
    ) -> AsyncIterator[None]:
        """Listen where the peer looks for this partner. Each message is answered by `answer`."""

        async def message(request: Request) -> Response:
            heard = request.url.path, await request.body(), request.headers["ACM-Signature"]
            self.heard.append(heard)
            return await answer(heard)

        async def partnership(request: Request) -> Response:
            theirs = msgspec.json.decode(await request.body())
            said = theirs | {"from": self.id, "to": peer.id, "created_at": text(self.clock())}
            said["metadata_digest"] = self.own.metadata_digest
            said["your_keys"] = [
                key.kid for key in msgspec.json.decode(peer.own.metadata, type=Metadata).keys
            ]
            body = msgspec.json.encode(said)
            seal = self.own.sign(body, to=peer.id, typ="acm-partnership", now=self._now())
            return Response(body, headers={"ACM-Signature": seal})

        async def exchanges(_: Request) -> Response:
            page = {"type": "exchanges", "version": "1.0", "from": self.id, "to": peer.id}
            body = msgspec.json.encode(page | {"created_at": text(self.clock()), "items": self.listed})
            seal = self.own.sign(body, to=peer.id, typ="acm-exchanges", now=self._now())
            return Response(body, headers={"ACM-Signature": seal})

        async def stored(request: Request) -> Response:
            _, _, _, _, primary, id_, _, _, n = request.url.path.split("/")
            if found := self.given.get(request.url.path):
                return Response(found[0], headers={"ACM-Signature": found[1]})
            seal = self.sealed(b"{}", peer.id, f"{primary}/{id_}", int(n), typ="acm-refusal")
            return Response(b"{}", 404, headers={"ACM-Signature": seal})

        app = Starlette(
            routes=[
                Route("/acm2/v1/exchanges", exchanges, methods=["GET"]),
                Route("/acm2/v1/exchanges/{path:path}", stored, methods=["GET"]),
                Route("/acm2/v1/exchanges/{path:path}", message, methods=["PUT"]),
                Route("/acm2/v1/partnership", partnership, methods=["POST"]),
            ]
        )
        pinned = (peer.directory / "tls" / "acm2.pem").read_text()
        host, _, port = self.listen.rpartition(":")
        context = tls.server_context(self.certificate, self.key, [pinned])
        listener = Listener(app, host, int(port), context, lambda *_: None)
        await listener.start()
        try:
            yield
        finally:
            await listener.stop(0.1)

    def _now(self) -> int:
        return int(self.clock().timestamp())


async def pin(system: System, metadata: bytes) -> None:
    """Make the system of this metadata an established partner of one that is not running."""
    id_ = msgspec.json.decode(metadata)["system"]
    partner = Partner(id_, id_, "accepted", "accepted", 0, metadata, body_digest(metadata))
    store = system.open_store()
    await store.write(lambda tx: befriend(tx, partner))
    await store.close()
