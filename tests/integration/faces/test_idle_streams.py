"""What an idle stream of notifications holds on to: neither a buffer of its own nor the way that led to it."""

import asyncio
import gc
import inspect
from asyncio import sslproto
from pathlib import Path

import aiohttp

from support.systems.systems import System, two_systems


def servers_ends() -> list[sslproto.SSLProtocol]:
    """Of the TLS connections of this loop."""
    loop = asyncio.get_running_loop()
    found = [protocol for protocol in gc.get_objects() if isinstance(protocol, sslproto.SSLProtocol)]
    return [protocol for protocol in found if protocol._server_side and protocol._loop is loop]


def suspended() -> set[str]:
    coroutines = [found for found in gc.get_objects() if inspect.iscoroutine(found)]
    return {
        f"{c.__qualname__} {id(c)}" for c in coroutines if inspect.getcoroutinestate(c) == "CORO_SUSPENDED"
    }


async def listening(system: System, http: aiohttp.ClientSession) -> aiohttp.ClientResponse:
    reply = await http.get(
        f"{system.url}/notifications", headers={"Authorization": "Bearer requester"}, ssl=False
    )
    await reply.content.readline()
    return reply


async def test_all_connections_of_a_listener_read_into_one_buffer(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _), aiohttp.ClientSession() as http:
        await police.start()
        replies = [await listening(police, http) for _ in range(3)]
        held = [protocol._ssl_buffer for protocol in servers_ends()]
        assert (len(held), len({id(buffer) for buffer in held})) == (3, 1)
        assert {len(protocol.get_buffer(-1)) for protocol in servers_ends()} == {16 * 1024}
        for reply in replies:
            reply.close()


async def test_routing_has_returned_while_a_stream_goes_on(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _), aiohttp.ClientSession() as http:
        await police.start()
        before = suspended()
        reply = await listening(police, http)
        begun = {name.partition(" ")[0] for name in suspended() - before}
        assert "Bell._stream" in begun
        assert not [name for name in begun if name.startswith(("Router.", "Route.", "Starlette."))]
        reply.close()
