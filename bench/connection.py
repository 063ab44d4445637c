"""A kept HTTP/1.1 connection that costs the measuring process little."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import NamedTuple, Self

_LENGTH = b"content-length: "
_EVENT = b"event: "


class Reply(NamedTuple):
    """What came back. `head` is in lower case."""

    status: int
    head: bytes
    body: bytes


class Connection:
    """One request at a time; only replies with a Content-Length."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int, context: ssl.SSLContext) -> Self:
        return cls(
            *await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
        )

    async def call(self, request: bytes) -> Reply:
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(_LENGTH)[2].partition(b"\r\n")[0]
        return Reply(int(head[9:12]), head, await self._reader.readexactly(int(length)))

    async def events(self, request: bytes) -> AsyncIterator[bytes]:
        """The names of the server-sent events that answer a request, until the server ends them."""
        self._writer.write(request)
        async for line in self._reader:
            if line.startswith(_EVENT):
                yield line.removeprefix(_EVENT).strip()

    def close(self) -> None:
        self._writer.transport.abort()


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body
