"""HTTP to one partner's ACM-2: mutual TLS with what is pinned, and only signed answers count (law 5)."""

import ssl
from datetime import datetime
from io import BytesIO
from types import TracebackType
from typing import Any, Self

import aiohttp
import msgspec

from acmx.domain.comparison import ExchangesPage
from acmx.domain.documents import read
from acmx.domain.errors import FINAL_TYPES, AcmxError, Fault, InvalidMessage, UnknownExchange
from acmx.domain.exchange import Role
from acmx.domain.messages import PROBLEM, Receipt, Refusal
from acmx.domain.moments import Clock, text
from acmx.domain.partnership import Statement
from acmx.storage.messages import Stored
from acmx.trust.own import Own
from acmx.trust.pinned import Pinned
from acmx.trust.signatures import Typ, verify

SIGNATURE = "ACM-Signature"
TIMEOUT = aiohttp.ClientTimeout(total=30, connect=10)
LONGEST_REPLY = 1024 * 1024
LONGEST_MESSAGE = 8 * 1024 * 1024
LARGE = 512 * 1024


class LinkDown(AcmxError):
    """The partner's server did not give a signed answer."""

    type = "link-down"


class Said(msgspec.Struct, frozen=True):
    """The partner's signed word on a message: a receipt or a refusal, as it came."""

    word: Receipt | Refusal
    body: bytes
    signature: str


class Wire:
    """An open door to one partner. Connections are kept."""

    def __init__(self, own: Own, peer: Pinned, context: ssl.SSLContext, clock: Clock) -> None:
        self._own = own
        self.peer = peer
        self._clock = clock
        self._http = aiohttp.ClientSession(
            base_url=peer.metadata.address,
            timeout=TIMEOUT,
            connector=aiohttp.TCPConnector(ssl=context, limit=32),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def put(self, message: Stored) -> Said:
        """Send one attempt of a stored message, signed anew. Raises LinkDown unless the partner answered, signed."""
        path = f"/acm2/v1/exchanges/{message.primary_system}/{message.id}/messages/{message.n}"
        exchange = f"{message.primary_system}/{message.id}"
        body, signature = await self._call("PUT", path, message.body, "acm-message", exchange, message.n)
        try:
            typ = self._verified(signature, body, ("acm-receipt", "acm-refusal"), exchange, message.n)
            word = _receipt(body) if typ == "acm-receipt" else _refusal(body)
        except AcmxError as error:
            raise LinkDown(str(error)) from None
        if word.digest != message.digest:
            raise LinkDown("the answer is about another message")
        return Said(word, body, signature)

    async def exchanges(self, since: datetime, after: str, limit: int) -> ExchangesPage:
        """A page of what the partner holds of the common exchanges. Raises LinkDown."""
        query = {"since": text(since), "after": after, "limit": str(limit)}
        body, signature = await self._get("/acm2/v1/exchanges", query)
        try:
            self._verified(signature, body, ("acm-exchanges",))
            page = read(body, ExchangesPage, InvalidMessage)
        except AcmxError as error:
            raise LinkDown(str(error)) from None
        if (page.sender, page.receiver) != (self.peer.metadata.system, self._own.system):
            raise LinkDown("the page is not between these two partners")
        return page

    async def message(self, primary: str, id_: str, sender: Role, n: int) -> tuple[bytes, str]:
        """A message that the partner holds, and the signature of its sender, unchecked.

        Raises LinkDown, and UnknownExchange where the partner says, signed, that it does not hold it.
        """
        body, signature = await self._get(f"/acm2/v1/exchanges/{primary}/{id_}/messages/{sender}/{n}", {})
        try:
            self._verified(signature, body, ("acm-refusal",), f"{primary}/{id_}", n)
        except AcmxError:
            return body, signature
        raise UnknownExchange("the partner does not give back what it named")

    async def state(self, statement: bytes) -> Statement:
        """Tell the partner how the partnership stands here, and hear theirs. Raises LinkDown."""
        body, signature = await self._call("POST", "/acm2/v1/partnership", statement, "acm-partnership")
        try:
            self._verified(signature, body, ("acm-partnership",))
            theirs = read(body, Statement, InvalidMessage)
        except AcmxError as error:
            raise LinkDown(str(error)) from None
        if (theirs.sender, theirs.receiver) != (self.peer.metadata.system, self._own.system):
            raise LinkDown("the statement is not between these two partners")
        return theirs

    async def _call(
        self, method: str, path: str, body: bytes, typ: Typ, exchange: str | None = None, n: int | None = None
    ) -> tuple[bytes, str]:
        seal = self._own.sign(
            body, to=self.peer.metadata.system, typ=typ, now=self._now(), exchange=exchange, n=n
        )
        headers = {SIGNATURE: seal, "Content-Type": "application/json"}
        return await self._answer(method, path, data=_data(body), headers=headers)

    async def _get(self, path: str, query: dict[str, str]) -> tuple[bytes, str]:
        return await self._answer("GET", path, params=query, longest=LONGEST_MESSAGE)

    async def _answer(
        self, method: str, path: str, *, longest: int = LONGEST_REPLY, **given: Any
    ) -> tuple[bytes, str]:
        try:
            async with self._http.request(method, path, allow_redirects=False, **given) as reply:
                signature = reply.headers.get(SIGNATURE)
                if signature is None:
                    raise LinkDown(f"unsigned answer: HTTP {reply.status}")
                return await _limited(reply, longest), signature
        except TimeoutError:
            raise LinkDown("no answer in time") from None
        except (aiohttp.ClientError, ssl.SSLError, OSError) as error:
            raise LinkDown(str(error)[:300] or type(error).__name__) from None

    def _verified(
        self,
        signature: str,
        body: bytes,
        typ: tuple[Typ, ...],
        exchange: str | None = None,
        n: int | None = None,
    ) -> Typ:
        """Raises BadSignature, ClockAhead."""
        seal = verify(
            signature,
            body,
            self.peer.keys,
            iss=self.peer.metadata.system,
            aud=self._own.system,
            typ=typ,
            exchange=exchange,
            n=n,
            now=self._now(),
        )
        return seal.typ

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _data(body: bytes) -> bytes | BytesIO:
    """aiohttp wants large bodies as a stream."""
    return body if len(body) < LARGE else BytesIO(body)


def _receipt(body: bytes) -> Receipt | Refusal:
    return read(body, Receipt, InvalidMessage)


def _refusal(body: bytes) -> Receipt | Refusal:
    refusal = read(body, Refusal, InvalidMessage)
    if refusal.final and refusal.type.removeprefix(PROBLEM) not in FINAL_TYPES:
        raise InvalidMessage([Fault("type", refusal.type, "is not a type that may be final")])
    return refusal


async def _limited(reply: aiohttp.ClientResponse, longest: int) -> bytes:
    parts: list[bytes] = []
    async for part in reply.content.iter_any():
        parts.append(part)
        if sum(map(len, parts)) > longest:
            raise LinkDown(f"the answer is longer than {longest // 1024**2} MiB")
    return b"".join(parts)
