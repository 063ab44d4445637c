"""What stands at the other end when people are told: an SMTP server and a receiver of webhooks, on loopback."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.policy import default
from typing import Any

import msgspec
from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


class MailSink:
    """An SMTP server. `refuse` is said to a recipient, `content` to the mail; `break_off` leaves after the mail came;
    `silent` never says a word."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.recipients: list[str] = []
        self.log_ons: list[tuple[bytes, bytes]] = []
        self.refuse: dict[str, str] = {}
        self.content: str | None = None
        self.break_off = False
        self.silent = False
        self.came = 0
        self.port = 0

    @property
    def ids(self) -> list[str]:
        return [mail["Message-ID"] for mail in self.mails]

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        if self.content is not None:
            return self.content
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        self.recipients += envelope.rcpt_tos
        if self.break_off:
            server.transport.abort()
        return "250 taken"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, auth_data: Any
    ) -> AuthResult:
        self.log_ons.append((auth_data.login, auth_data.password))
        return AuthResult(success=auth_data.password == b"the password", handled=False)


class _Silent(asyncio.Protocol):
    def __init__(self, kept: list[asyncio.BaseTransport]) -> None:
        self._kept = kept

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._kept.append(transport)


@asynccontextmanager
async def mail_sink(
    sink: MailSink | None = None, *, tls: ssl.SSLContext | None = None, **smtp: Any
) -> AsyncIterator[MailSink]:
    sink = sink or MailSink()
    loop = asyncio.get_running_loop()
    kept: list[asyncio.BaseTransport] = []

    def connected() -> asyncio.BaseProtocol:
        sink.came += 1
        return _Silent(kept) if sink.silent else SMTP(sink, hostname="sink", loop=loop, **smtp)

    server = await loop.create_server(connected, "127.0.0.1", sink.port, ssl=tls)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()
        for transport in kept:
            transport.abort()  # type: ignore[attr-defined]


class Receiver:
    """A receiver of webhooks: gives the next of `answers` (a status, "slow" or "close"), 204 once they are used up."""

    def __init__(self) -> None:
        self.answers: list[int | str] = []
        self.bodies: list[bytes] = []
        self.signatures: list[str] = []
        self.elsewhere = 0
        self.url = ""

    @property
    def told(self) -> list[Any]:
        return [msgspec.json.decode(body) for body in self.bodies]

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        self.signatures.append(request.headers["ACM-Webhook-Signature"])
        answer = self.answers.pop(0) if self.answers else 204
        if answer == "slow":
            await asyncio.Event().wait()
        if answer == "close":
            assert request.transport is not None
            request.transport.abort()
        status = answer if isinstance(answer, int) else 204
        return web.Response(status=status, headers={"Location": "/elsewhere"} if status == 302 else {})

    async def found_elsewhere(self, request: web.Request) -> web.Response:
        self.elsewhere += 1
        return web.Response()


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    taking = Receiver()
    app = web.Application()
    app.router.add_post("/hook", taking.take)
    app.router.add_route("*", "/elsewhere", taking.found_elsewhere)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    taking.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield taking
    finally:
        await runner.cleanup()
