"""The stream of notices, as an ACM client reads it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec

from support.systems.systems import System


class Stream:
    """An open stream."""

    def __init__(self, reply: aiohttp.ClientResponse) -> None:
        self._reply = reply

    async def block(self) -> bytes:
        """The next event; nothing where the stream has ended as it should."""
        async with asyncio.timeout(10):
            return await self._reply.content.readuntil(b"\n\n")

    async def quiet(self) -> bool:
        """Nothing has come that nobody asked for."""
        return not self._reply.content.read_nowait(-1)


@asynccontextmanager
async def stream(system: System, account: str) -> AsyncIterator[Stream]:
    headers = {"Authorization": f"Bearer {account}"}
    async with system.http.get(f"{system.url}/notifications", headers=headers) as reply:
        assert (reply.status, reply.content_type) == (200, "text/event-stream")
        yield Stream(reply)


def hint(system: System, account: str) -> bytes:
    data = msgspec.json.encode({"mc_service_id": f"sip:{account}@{system.id}"})
    return b"event: look-again\ndata: " + data + b"\n\n"
