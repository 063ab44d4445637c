"""The wire to the own CMS: HTTP for work that knows nothing of it."""

import ssl
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from hmac import compare_digest
from io import BytesIO
from pathlib import Path

import aiohttp
import msgspec
from yarl import URL

from acmx.config import Xcap
from acmx.delivery.provisioning.large_documents import LARGE, LargeDocuments, Task
from acmx.domain.errors import Misconfigured
from acmx.provisioning.xcap import End, Failed, Reply, Request, Response, Work
from acmx.provisioning.xml import LARGEST

TIMEOUT = timedelta(seconds=30)
UNAUTHORISED = 401
AS_IT_IS = {"Accept-Encoding": "identity"}
"""What is compressed on the way has another ETag with some servers, and If-Match then never holds."""


class Cms:
    """The CMS as it is configured. One connection for each document under way."""

    def __init__(self, directory: Path, given: Xcap, *, timeout: timedelta = TIMEOUT) -> None:
        """Raises Misconfigured where the token or the authorities cannot be read."""
        self.given = given
        self._token_file = directory / given.token_file if given.token_file else None
        self._timeout = aiohttp.ClientTimeout(total=timeout.total_seconds())
        self._context = _context(directory, given)
        self._http: aiohttp.ClientSession | None = None
        self._token = self._read_token()
        self._large = LargeDocuments()

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def carry_out(self, work: Work, task: Task | None = None) -> End:
        """Ask and answer until the work has ended; `task` says what it is, to go on elsewhere with a large answer."""
        replies: list[Reply] = []
        try:
            request = next(work)
            while True:
                replies.append(await self._ask(request))
                if task is not None and _is_large(replies[-1]):
                    return await self._large.carry_out(
                        msgspec.structs.replace(task, replies=replies), self._ask
                    )
                request = work.send(replies[-1])
        except StopIteration as end:
            ended: End = end.value
            return ended

    async def _ask(self, request: Request) -> Reply:
        """A token that is not taken may have been replaced in its file since."""
        reply = await self._send(request)
        if isinstance(reply, Response) and reply.status == UNAUTHORISED and self._token_file:
            before = self._token
            with suppress(Misconfigured):
                self._token = self._read_token()
            if not compare_digest(self._token, before):
                return await self._send(request)
        return reply

    async def _send(self, request: Request) -> Reply:
        if self._http is None:
            connector = aiohttp.TCPConnector(ssl=self._context, limit=self.given.at_a_time)
            self._http = aiohttp.ClientSession(connector=connector, timeout=self._timeout, headers=AS_IT_IS)
        try:
            async with self._http.request(
                request.method,
                URL(request.url, encoded=True),
                headers={**request.headers, **self._identity()},
                data=None if request.body is None else BytesIO(request.body),
                allow_redirects=False,
            ) as reply:
                return Response(reply.status, _headers(reply.headers), await _body(reply.content))
        except TimeoutError:
            return Failed(f"nothing came within {self._timeout.total:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Failed(_text(" ".join(f"{type(error).__name__} {error}".split()))[:200])

    def _identity(self) -> dict[str, str]:
        if self._token:
            return {"Authorization": f"Bearer {self._token}"}
        if self.given.asserted_identity:
            return {"X-3GPP-Asserted-Identity": self.given.asserted_identity}
        return {}

    def _read_token(self) -> str:
        if self._token_file is None:
            return ""
        try:
            token = self._token_file.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            raise Misconfigured(f"xcap.token_file: {self._token_file} cannot be read: {error}") from error
        if not token.isprintable():
            raise Misconfigured(f"xcap.token_file: {self._token_file} must hold one line")
        return token


def _is_large(reply: Reply) -> bool:
    return isinstance(reply, Response) and len(reply.body) > LARGE


def _headers(given: Mapping[str, str]) -> dict[str, str]:
    """Names in lower case; what is said several times is one list."""
    headers: dict[str, str] = {}
    for name, value in given.items():
        key = name.lower()
        headers[key] = f"{headers[key]}, {_text(value)}" if key in headers else _text(value)
    return headers


def _text(value: str) -> str:
    """Bytes that are no UTF-8 come as what no store takes."""
    return value if value.isascii() else value.encode(errors="replace").decode()


async def _body(stream: aiohttp.StreamReader) -> bytes:
    """As far as it is worth reading: what is longer is refused by the reader of XML."""
    body = bytearray()
    async for chunk in stream.iter_any():
        body += chunk
        if len(body) > LARGEST:
            break
    return bytes(body)


def _context(directory: Path, given: Xcap) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=directory / given.ca_file if given.ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise Misconfigured(f"xcap.ca_file: {given.ca_file} cannot be used: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
