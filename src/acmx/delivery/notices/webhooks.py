"""Webhooks: a small signed JSON document for each telling. docs/notifications.md says how a receiver checks it."""

import asyncio
import hmac
import ssl
from datetime import timedelta
from hashlib import sha256
from urllib.parse import urlsplit

import aiohttp
from msgspec import Struct

from acmx.config import Webhook
from acmx.delivery.notices.channel import TargetDown
from acmx.delivery.outward import SocketTo, connected
from acmx.domain.documents import encode
from acmx.domain.exchange import Audience
from acmx.domain.messages import Moment
from acmx.domain.moments import Clock, from_ms, to_ms
from acmx.storage.deliveries import Parcel

SIGNATURE = "ACM-Webhook-Signature"


def channel_of(webhook: Webhook) -> str:
    return f"webhook:{webhook.name}"


class Told(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body: no personal data. `id` is the same however often it is sent; of a partnership there is no exchange."""

    id: str
    system: str
    event: str
    audience: Audience
    exchange: str | None = None
    primary: str | None = None
    partner: str
    urgency: str
    at: Moment
    expires_at: Moment | None = None
    link: str | None = None


class WebhookChannel:
    """Posts to one receiver. Only 2xx counts; a redirect is not followed."""

    most = 1

    def __init__(
        self,
        system: str,
        webhook: Webhook,
        secret: bytes,
        link: str,
        clock: Clock,
        *,
        timeout: timedelta,
        make_socket: SocketTo,
    ) -> None:
        self.name = channel_of(webhook)
        self._system = system
        self._url = webhook.url
        self._secret = secret
        self._link = link
        self._clock = clock
        self._make_socket = make_socket
        self._timeout = aiohttp.ClientTimeout(total=timeout.total_seconds())

    async def deliver(self, parcel: Parcel) -> None:
        """As `Channel.deliver`; whatever is wrong, it is tried again."""
        body = self._body(parcel)
        headers = {
            "Content-Type": "application/json",
            SIGNATURE: signature(self._secret, body, to_ms(self._clock()) // 1000),
        }
        try:
            async with (
                aiohttp.ClientSession(
                    timeout=self._timeout,
                    connector=aiohttp.TCPConnector(socket_factory=self._make_socket),
                    auto_decompress=False,
                ) as http,
                http.post(self._url, data=body, headers=headers, allow_redirects=False) as reply,
            ):
                status = reply.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TargetDown(type(error).__name__) from error
        if not 200 <= status < 300:
            raise TargetDown(f"HTTP {status}")

    async def reach(self) -> str:
        """As `Channel.reach`: as far as TLS."""
        loop = asyncio.get_running_loop()
        try:
            url = urlsplit(self._url)
            port = url.port or (443 if url.scheme == "https" else 80)
            context = ssl.create_default_context() if url.scheme == "https" else None
            to = await connected(url.hostname or "", port, self._make_socket)
            transport, _ = await loop.create_connection(
                asyncio.Protocol, sock=to, ssl=context, server_hostname=url.hostname if context else None
            )
        except (OSError, ValueError) as error:
            raise TargetDown(" ".join(f"{type(error).__name__} {error}".split())) from error
        transport.abort()
        return f"{url.hostname}:{port} {'without TLS' if context is None else 'by TLS'}"

    def _body(self, parcel: Parcel) -> bytes:
        item = parcel.items[0]
        return encode(
            Told(
                id=parcel.id,
                system=self._system,
                event=item.event,
                audience=item.audience,
                exchange=item.id or None,
                primary=item.primary_system if item.id else None,
                partner=item.partner,
                urgency=item.urgency,
                at=from_ms(item.at),
                expires_at=None if item.expires_at is None else from_ms(item.expires_at),
                link=self._link or None,
            )
        )


def signature(secret: bytes, body: bytes, at: int) -> str:
    """HMAC-SHA256 over "SECONDS.BODY", so that a receiver can refuse what is old; `at` in seconds since 1970."""
    mac = hmac.new(secret, f"{at}.".encode() + body, sha256).hexdigest()
    return f"t={at},v1={mac}"
