"""A CMS as RFC 4825 wants it, small, over TLS; and a switch for everything that CMSs in the field do instead."""

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from random import Random
from urllib.parse import unquote

from aiohttp import web
from lxml import etree

from acmx.provisioning.names import PROFILES, UE_AUID
from acmx.trust.certificates import self_signed

ROOT = "/xcap"
CAPS = "urn:ietf:params:xml:ns:xcap-caps"
ERROR = "urn:ietf:params:xml:ns:xcap-error"
AUIDS = (UE_AUID, *(names.auid for names in PROFILES.values()))
OTHER_PARTNER = "mc.rail.example"


@dataclass
class Faults:
    """What this CMS does otherwise; numbers count down, a rate is of all requests."""

    breaks: float = 0.0
    drops_after: int = 0
    drops_on: str | None = None
    silent: bool = False
    etags: str = "always"
    no_content: bool = False
    redirect: str | None = None
    redirects: int = 1
    token: str | None = None
    identity: str | None = None
    slow: float = 0.0
    retry_after: int = 0
    changes: int = 0
    refuses: dict[str, bytes] = field(default_factory=dict)
    auids: tuple[str, ...] = AUIDS
    gate: asyncio.Event | None = None
    alters: Callable[[web.Request, web.Response], web.Response] | None = None


class Xcap:
    """Documents by path below the root; every request is logged with its status."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.documents: dict[str, bytes] = {}
        self.log: list[tuple[str, str, int]] = []
        self.under_way = 0
        self.most = 0
        self.url = ""
        self._random = Random(11)

    def put_profiles(self, users: list[str], *services: str) -> None:
        for user in users:
            for service in services:
                self.documents[path_of(service, user)] = profile(service, user)

    def written(self) -> Counter[str]:
        """How often each document was written or deleted."""
        return Counter(
            path for method, path, status in self.log if method != "GET" and status in (200, 201, 204)
        )

    def entry(self, service: str, user: str) -> list[etree._Element]:
        """The entries for partners in a profile."""
        names = PROFILES[service]
        root = etree.fromstring(self.documents[path_of(service, user)])
        return list(root.iter(f"{{{names.namespace}}}{names.entry}"))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = unquote(request.raw_path.partition("?")[0].removeprefix(ROOT + "/"))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            reply = await self._answer(request, path, await request.read())
        finally:
            self.under_way -= 1
        if self.faults.alters is not None:
            reply = self.faults.alters(request, reply)
        self.log.append((request.method, path, reply.status))
        return reply

    async def _answer(self, request: web.Request, path: str, body: bytes) -> web.Response:
        faults = self.faults
        if faults.slow:
            await asyncio.sleep(faults.slow)
        if faults.silent or faults.drops_on == path:
            return self._drop(request)
        if refused := self._refuse(request):
            return refused
        if path == "xcap-caps/global/index":
            return self._caps()
        if faults.breaks and self._random.random() < faults.breaks:
            return web.Response(status=500)
        if request.method == "GET":
            return self._get(path)
        if faults.gate is not None:
            await faults.gate.wait()
        reply = self._change(request, path, body)
        if reply.status < 300 and faults.drops_after:
            faults.drops_after -= 1
            self.log.append((request.method, path, reply.status))
            return self._drop(request)
        return reply

    def _refuse(self, request: web.Request) -> web.Response | None:
        faults = self.faults
        if faults.token is not None and request.headers.get("Authorization") != f"Bearer {faults.token}":
            return web.Response(status=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        if faults.identity is not None and request.headers.get("X-3GPP-Asserted-Identity") != faults.identity:
            return web.Response(status=403)
        if faults.retry_after:
            faults.retry_after -= 1
            return web.Response(status=503, headers={"Retry-After": "7"})
        if faults.redirect is not None and faults.redirects:
            faults.redirects -= 1
            status, _, place = faults.redirect.partition(" ")
            return web.Response(status=int(status), headers={"Location": place or request.raw_path})
        return None

    def _get(self, path: str) -> web.Response:
        document = self.documents.get(path)
        if document is None:
            return web.Response(status=404)
        if self.faults.changes:
            self.faults.changes -= 1
            self.documents[path] = document.replace(b"</", b"<!-- by somebody else --></", 1)
        mime = "application/xml"
        return web.Response(body=document, content_type=mime, headers=self._tag(document, "get"))

    def _change(self, request: web.Request, path: str, body: bytes) -> web.Response:
        document = self.documents.get(path)
        if not self._holds(request, document):
            return web.Response(status=412)
        for part, error in self.faults.refuses.items():
            if part in path:
                return web.Response(status=409, body=error, content_type="application/xcap-error+xml")
        if request.method == "DELETE":
            if document is None:
                return web.Response(status=404)
            del self.documents[path]
            return web.Response(status=200)
        try:
            etree.fromstring(body)
        except etree.XMLSyntaxError:
            return web.Response(status=409, body=error_body("<not-well-formed/>"))
        self.documents[path] = body
        status = 204 if self.faults.no_content else 201 if document is None else 200
        return web.Response(status=status, headers=self._tag(body, "put"))

    def _holds(self, request: web.Request, document: bytes | None) -> bool:
        match, none_match = request.headers.get("If-Match"), request.headers.get("If-None-Match")
        if match is not None:
            return document is not None and match == tag_of(document)
        return none_match is None or (none_match == "*" and document is None)

    def _tag(self, document: bytes, method: str) -> dict[str, str]:
        kind = self.faults.etags
        if kind == "never" or (kind == "not on put" and method == "put"):
            return {}
        if kind == "sometimes" and self._random.random() < 0.3:
            return {}
        return {"ETag": ("W/" if kind == "weak" else "") + tag_of(document)}

    def _caps(self) -> web.Response:
        auids = "".join(f"<auid>{auid}</auid>" for auid in self.faults.auids)
        body = f'<xcap-caps xmlns="{CAPS}"><auids>{auids}</auids><namespaces/></xcap-caps>'
        return web.Response(body=body.encode(), content_type="application/xcap-caps+xml")

    def _drop(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response(status=599)


def tag_of(document: bytes) -> str:
    return f'"{sha256(document).hexdigest()[:16]}"'


def path_of(service: str, user: str) -> str:
    names = PROFILES[service]
    return f"{names.auid}/users/{user}/{names.file(0)}"


def error_body(child: str) -> bytes:
    return f'<xcap-error xmlns="{ERROR}">{child}</xcap-error>'.encode()


def profile(service: str, user: str, *, prefix: str = "") -> bytes:
    """As somebody else wrote it: with another partner, an extension that nobody knows, and a prefix used in a value."""
    names = PROFILES[service]
    p, declared = (f"{prefix}:", f":{prefix}") if prefix else ("", "")
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- kept -->\n'
        f'<{p}{names.root} xmlns{declared}="{names.namespace}" xmlns:v="urn:vendor" xmlns:q="urn:used-in-a-value" '
        f'XUI-URI="{user}" user-profile-index="0"><{p}Name>{user}</{p}Name>'
        f'<{p}OnNetwork index="1"><v:mood kind="q:good">\u00fc</v:mood><{p}anyExt>'
        f"<{p}{names.entry}><{p}{names.id}>{OTHER_PARTNER}</{p}{names.id}></{p}{names.entry}>"
        f"<v:unknown/></{p}anyExt></{p}OnNetwork></{p}{names.root}>"
    ).encode()


@asynccontextmanager
async def xcap_server(folder: Path) -> AsyncIterator[Xcap]:
    """On loopback; its certificate is `folder`/cms.pem."""
    pem, key = self_signed("localhost", ["127.0.0.1"], now=datetime.now(UTC), days=1)
    (folder / "cms.pem").write_bytes(pem)
    (folder / "cms.key").write_bytes(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cms.pem", folder / "cms.key")
    xcap = Xcap()
    app = web.Application(client_max_size=16 * 1024**2)
    app.router.add_route("*", "/{path:.*}", xcap.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    xcap.url = f"https://127.0.0.1:{runner.addresses[0][1]}{ROOT}"
    try:
        yield xcap
    finally:
        await runner.cleanup()
