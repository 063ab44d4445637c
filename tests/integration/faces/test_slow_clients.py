"""Clients that are slow, many or deaf hold nothing for long, on either listener."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from acmx.faces import http, listener
from acmx.trust import tls
from support.partner.by_hand import ByHand
from support.systems.systems import System, eventually, turns, two_systems

HEAD = b"POST /acm1/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n"
ENDLESS = {
    "nothing but line feeds": b"",
    "half a head": HEAD,
    "a head without its body": HEAD + b"\r\n",
    "half a body": HEAD + b"\r\n" + b" " * 1000,
}


def known(police: System, fire: System) -> dict[str, tuple[int, ssl.SSLContext]]:
    """Port and TLS for each listener of the police: of anybody, and of the fire service."""
    anybody = ssl.create_default_context(cafile=police.directory / "tls" / "acm1.pem")
    anybody.check_hostname = False
    them = ByHand.of(fire)
    pinned = (police.directory / "tls" / "acm2.pem").read_text()
    as_fire = tls.client_context(them.certificate, them.key, [pinned])
    return {"acm1": (police.server.ports[0], anybody), "acm2": (police.server.ports[1], as_fire)}


@asynccontextmanager
async def connected(port: int, context: ssl.SSLContext) -> AsyncIterator[Any]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="x")
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def connections(police: System) -> int:
    """How many ACM-1 has now."""
    return police.server._face1._open.total()


@pytest.mark.parametrize("name", ENDLESS)
@pytest.mark.parametrize("face", ["acm1", "acm2"])
async def test_a_message_that_never_arrives_is_given_up(
    name: str, face: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "_ARRIVES_SECONDS", 0.3)

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A little more all the time, which never makes it whole."""
        writer.write(ENDLESS[name])
        more = b"X: y\r\n" if name == "half a head" else b"\r\n"
        while not reader.at_eof():
            writer.write(more)
            await writer.drain()
            await turns(200)

    async with two_systems(tmp_path, start=False) as (police, fire):
        await police.start()
        async with connected(*known(police, fire)[face]) as (reader, writer), asyncio.timeout(5):
            with suppress(ConnectionError):
                await asyncio.gather(drip(reader, writer), reader.read())


async def test_a_body_that_comes_steadily_is_taken_however_long_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message may take no time at all, but for what its bytes allow."""
    monkeypatch.setattr(http, "_ARRIVES_SECONDS", 0.0)
    monkeypatch.setattr(http, "_SLOWEST", 100)

    async with two_systems(tmp_path, start=False) as (police, fire):
        await police.start()
        async with connected(*known(police, fire)["acm1"]) as (reader, writer), asyncio.timeout(10):
            writer.write(HEAD + b"\r\n" + b" " * 3000)
            for _ in range(19):
                await turns(50)
                writer.write(b" " * 3000)
            assert b"422" in await reader.readline()


async def test_one_address_has_a_share_of_the_connections_and_leaves_room_when_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "_MOST_OF_ONE", 3)

    async with two_systems(tmp_path, start=False) as (police, fire):
        await police.start()
        port, context = known(police, fire)["acm1"]
        kept = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        with pytest.raises(OSError):
            async with connected(port, context):
                pass
        for one in kept:
            one.close()
        await eventually(lambda: connections(police), lambda left: left == 0)
        await eventually(
            lambda: refusals(police),
            lambda found: found == [{"type": "too many connections", "address": "127.0.0.1"}],
        )


async def refusals(system: System) -> list[Any]:
    entries = (await system.done("GET", "/audit"))["items"]
    return [entry["detail"] for entry in entries if entry["event"] == "refused"]


async def test_a_client_that_does_not_read_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "_UNREAD_SECONDS", 0.3)
    asks = b"GET /acm1/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"

    async with two_systems(tmp_path, start=False) as (police, fire):
        await police.start()
        port, context = known(police, fire)["acm1"]
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect(("127.0.0.1", port))
            client = await asyncio.to_thread(context.wrap_socket, deaf, server_hostname="x")
            with client:
                client.setblocking(False)
                for _ in range(200):
                    try:
                        client.send(asks)
                    except (ssl.SSLWantWriteError, BlockingIOError):
                        break
                assert await connections(police) == 1
                await eventually(lambda: connections(police), lambda left: left == 0)


async def test_a_log_on_is_no_way_to_fill_the_memory(tmp_path: Path) -> None:
    async with two_systems(tmp_path, start=False) as (police, _):
        await police.start()
        document = {"account": "admin", "password": "x" * 70_000}
        status, problem = await police.call("POST", "/sessions", document, account=None)
        assert (status, problem["type"].rpartition(":")[2]) == (413, "too-large")
