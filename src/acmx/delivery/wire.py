"""HTTP to one partner's ACM-2: mutual TLS with what is pinned, and only signed answers count (law 5)."""

import ssl
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from io import BytesIO
from types import TracebackType
from typing import Self

import aiohttp
import msgspec

from acmx.delivery.outward import SocketTo
from acmx.domain.comparison import ExchangesPage
from acmx.domain.documents import read
from acmx.domain.errors import FINAL_TYPES, AcmxError, InvalidMessage, UnknownExchange
from acmx.domain.exchange import Role
from acmx.domain.faults import Fault
from acmx.domain.messages import PROBLEM, Receipt, Refusal
from acmx.domain.moments import Clock, text
from acmx.domain.partnership import Statement
from acmx.storage.exchange.messages import Stored
from acmx.trust.own import Own
from acmx.trust.pinned import Pinned
from acmx.trust.signatures import Seal, Typ, verify

SIGNATURE = "ACM-Signature"
CONNECTS = 10.0
LONGEST_REPLY = 1024 * 1024
LONGEST_MESSAGE = 8 * 1024 * 1024
LARGE = 512 * 1024
LONGEST_WAIT = timedelta(minutes=15)
NOT_ASKED = timedelta(0)
END_OF_TIME = 2**53


class LinkDown(AcmxError):
    """The partner's server did not give a signed answer."""

    type = "link-down"

    def __init__(self, detail: str, retry_after: timedelta = NOT_ASKED) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class NoAnswer(LinkDown):
    """The partner's server did not answer."""


class NotTheirs(LinkDown):
    """The answer is signed, but not by the partner's pinned key, or not as it must be."""


class Said(msgspec.Struct, frozen=True):
    """The partner's signed word on a message: a receipt or a refusal, as it came, and how long it asks to wait."""

    word: Receipt | Refusal
    body: bytes
    signature: str
    retry_after: timedelta = NOT_ASKED


class _Signed(msgspec.Struct, frozen=True):
    body: bytes
    signature: str
    retry_after: timedelta


class Wire:
    """An open door to one partner. Connections are kept."""

    def __init__(
        self,
        own: Own,
        peer: Pinned,
        context: ssl.SSLContext,
        clock: Clock,
        answer: timedelta,
        make_socket: SocketTo,
    ) -> None:
        """The partner has `answer` to reply to a message, and at most 10 s to reply to a statement."""
        self._own = own
        self.peer = peer
        self._clock = clock
        connects = min(CONNECTS, answer.total_seconds())
        self._statement = aiohttp.ClientTimeout(total=connects)
        self._message = aiohttp.ClientTimeout(total=answer.total_seconds(), connect=connects)
        self._http = aiohttp.ClientSession(
            base_url=peer.metadata.address,
            connector=aiohttp.TCPConnector(ssl=context, limit=32, socket_factory=make_socket),
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
        seal = self._own.sign(
            message.body,
            to=self.peer.metadata.system,
            typ="acm-message",
            now=self._now(),
            exchange=exchange,
            n=message.n,
        )
        reply = await self._call("PUT", path, message.body, seal, self._message)
        try:
            said = self._verified(reply, ("acm-receipt", "acm-refusal"), exchange, message.n)
            word = _receipt(reply.body) if said.typ == "acm-receipt" else _refusal(reply.body)
        except AcmxError as error:
            raise LinkDown(_words(error), reply.retry_after) from None
        if word.digest != message.digest:
            raise LinkDown("the answer is about another message", reply.retry_after)
        return Said(word, reply.body, reply.signature, reply.retry_after)

    async def exchanges(self, since: datetime, after: str, limit: int) -> ExchangesPage:
        """A page of what the partner holds of the common exchanges. Raises LinkDown."""
        query = {"since": text(since), "after": after, "limit": str(limit)}
        reply = await self._get("/acm2/v1/exchanges", query)
        try:
            self._verified(reply, ("acm-exchanges",))
            page = read(reply.body, ExchangesPage, InvalidMessage)
        except AcmxError as error:
            raise LinkDown(_words(error), reply.retry_after) from None
        if (page.sender, page.receiver) != (self.peer.metadata.system, self._own.system):
            raise LinkDown("the page is not between these two partners")
        return page

    async def message(self, primary: str, id_: str, sender: Role, n: int) -> tuple[bytes, str]:
        """A message that the partner holds, and the signature of its sender, unchecked.

        Raises LinkDown, and UnknownExchange where the partner says, signed, that it does not hold it.
        """
        reply = await self._get(f"/acm2/v1/exchanges/{primary}/{id_}/messages/{sender}/{n}", {})
        try:
            self._verified(reply, ("acm-refusal",), f"{primary}/{id_}", n)
        except AcmxError:
            return reply.body, reply.signature
        raise UnknownExchange("the partner does not give back what it named")

    async def state(self, statement: bytes, turn: int = 0) -> Statement:
        """Tell the partner how the partnership stands here, and hear theirs. Raises LinkDown.

        `turn` as in `Own.sign`.
        """
        system = self.peer.metadata.system
        seal = self._own.sign(statement, to=system, typ="acm-partnership", now=self._now(), turn=turn)
        reply = await self._call("POST", "/acm2/v1/partnership", statement, seal, self._statement)
        try:
            self._verified(reply, ("acm-partnership",))
            theirs = read(reply.body, Statement, InvalidMessage)
        except AcmxError as error:
            raise LinkDown(_words(error), reply.retry_after) from None
        if (theirs.sender, theirs.receiver) != (self.peer.metadata.system, self._own.system):
            raise LinkDown("the statement is not between these two partners")
        return theirs

    async def metadata(self) -> tuple[bytes, int]:
        """What the partner publishes of itself, signed by a pinned key, and when (Unix time). Raises LinkDown."""
        reply = await self._answer("GET", "/acm2/v1/metadata", self._statement)
        try:
            seal = self._verified(reply, ("acm-metadata",), aud=self.peer.metadata.system)
        except AcmxError as error:
            raise NotTheirs(_words(error)) from None
        return reply.body, seal.iat

    async def time(self) -> int:
        """What time the partner says it is, signed (Unix time), however far from ours. Raises LinkDown."""
        reply = await self._answer("GET", "/acm2/v1/metadata", self._statement)
        try:
            return self._verified(
                reply, ("acm-metadata",), aud=self.peer.metadata.system, now=END_OF_TIME
            ).iat
        except AcmxError as error:
            raise NotTheirs(_words(error)) from None

    async def _call(
        self,
        method: str,
        path: str,
        body: bytes,
        seal: str,
        within: aiohttp.ClientTimeout,
    ) -> _Signed:
        headers = {SIGNATURE: seal, "Content-Type": "application/json"}
        return await self._answer(method, path, within, body=body, headers=headers)

    async def _get(self, path: str, query: dict[str, str]) -> _Signed:
        return await self._answer("GET", path, self._message, query=query, longest=LONGEST_MESSAGE)

    async def _answer(
        self,
        method: str,
        path: str,
        within: aiohttp.ClientTimeout,
        *,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
        longest: int = LONGEST_REPLY,
    ) -> _Signed:
        try:
            async with self._http.request(
                method,
                path,
                data=_data(body),
                headers=headers,
                params=query,
                timeout=within,
                allow_redirects=False,
            ) as reply:
                signature = reply.headers.get(SIGNATURE)
                retry_after = _retry_after(reply.headers.get("Retry-After", ""), self._clock())
                if signature is None:
                    raise LinkDown(f"unsigned answer: HTTP {reply.status}", retry_after)
                return _Signed(await _limited(reply, longest), signature, retry_after)
        except TimeoutError:
            raise NoAnswer("no answer in time") from None
        except (aiohttp.ClientError, ssl.SSLError, OSError) as error:
            raise NoAnswer(str(error)[:300] or type(error).__name__) from None

    def _verified(
        self,
        reply: _Signed,
        typ: tuple[Typ, ...],
        exchange: str | None = None,
        n: int | None = None,
        *,
        aud: str | None = None,
        now: int | None = None,
    ) -> Seal:
        """Raises BadSignature, ClockAhead."""
        return verify(
            reply.signature,
            reply.body,
            self.peer.keys,
            iss=self.peer.metadata.system,
            aud=aud or self._own.system,
            typ=typ,
            exchange=exchange,
            n=n,
            now=self._now() if now is None else now,
        )

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _data(body: bytes) -> bytes | BytesIO:
    """aiohttp wants large bodies as a stream."""
    return body if len(body) < LARGE else BytesIO(body)


def _words(error: AcmxError) -> str:
    return " ".join(
        [str(error), *(f"{name}: {value}" for name, value in error.members.items() if name.endswith("_at"))]
    )


def _retry_after(header: str, now: datetime) -> timedelta:
    """Seconds or a date (RFC 9110), 15 minutes at most; what cannot be read asks for nothing."""
    if not header:
        return NOT_ASKED
    if header.isascii() and header.isdecimal():
        return timedelta(seconds=min(int(header[:9]), LONGEST_WAIT.total_seconds()))
    try:
        asked = parsedate_to_datetime(header)
    except ValueError:
        return NOT_ASKED
    until = asked if asked.tzinfo else asked.replace(tzinfo=UTC)
    return max(NOT_ASKED, min(until - now, LONGEST_WAIT))


def _receipt(body: bytes) -> Receipt | Refusal:
    return read(body, Receipt, InvalidMessage)


def _refusal(body: bytes) -> Receipt | Refusal:
    refusal = read(body, Refusal, InvalidMessage)
    if refusal.final and refusal.type.removeprefix(PROBLEM) not in FINAL_TYPES:
        raise InvalidMessage([Fault("type", refusal.type, "is not a type that may be final")])
    return refusal


async def _limited(reply: aiohttp.ClientResponse, longest: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in reply.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > longest:
            raise LinkDown(f"the answer is longer than {longest // 1024**2} MiB")
    return b"".join(parts)
