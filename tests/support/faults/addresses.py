"""Log-ons that come from other addresses of this machine."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec

from support.systems.systems import System


@asynccontextmanager
async def from_address(system: System, address: str) -> AsyncIterator[Callable[[str, str], Any]]:
    """Logs on from another address of loopback; gives the status and the Retry-After."""
    context = ssl.create_default_context(cafile=system.directory / "tls" / "acm1.pem")
    context.check_hostname = False
    connector = aiohttp.TCPConnector(ssl=context, local_addr=(address, 0), limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:

        async def tries(account: str, password: str) -> tuple[int, str | None]:
            body = msgspec.json.encode({"account": account, "password": password})
            async with http.post(f"{system.url}/sessions", data=body) as reply:
                return reply.status, reply.headers.get("Retry-After")

        yield tries
