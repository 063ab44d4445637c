"""Connections that do less than they should, or more: before, in and after a request."""

import asyncio
import contextlib
import io
import socket
import struct
from collections.abc import AsyncIterator

import aiohttp
import pytest

from acmx.faces import listener as module
from acmx.faces.http import HEAD_LIMIT
from acmx.faces.listener import Listener
from parties import Face, asked, says_who_called, serving, showing, showing_none

pytestmark = pytest.mark.sqlite


def test_a_reply_waits_for_no_acknowledgement(party, run) -> None:
    us, partner = party("us", "police.example"), party("partner")
    settings = []

    async def tells(scope, receive, send) -> None:
        (connection,) = face.listener._state.connections
        accepted = connection.transport.get_extra_info("socket")
        settings.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        await says_who_called(scope, receive, send)

    async def scenario() -> None:
        nonlocal face
        async with serving(us, partner, app=tells) as face:
            await asked(face, showing(partner, us))

    face: Face = None
    run(scenario())
    assert settings == [1]


def test_plain_http_on_the_tls_port_is_refused_with_the_reason(party, run) -> None:
    us = party("us")

    async def scenario() -> None:
        async with serving(us, asks=False) as face:
            reader, writer = await asyncio.open_connection("127.0.0.1", face.listener.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()
            assert await face.refused.get() == ("http request", "127.0.0.1")

    run(scenario())


@pytest.mark.parametrize("how", ["closes", "resets"])
def test_a_client_that_leaves_before_the_handshake_was_refused_by_nobody(party, run, how) -> None:
    us = party("us")

    async def scenario() -> None:
        async with serving(us, asks=False) as face:
            with socket.create_connection(("127.0.0.1", face.listener.port)) as visitor:
                if how == "resets":
                    visitor.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            assert await asked(face, showing_none(us))
            assert face.refused.empty()

    run(scenario())


def test_a_handshake_that_takes_too_long_is_refused_with_the_reason(party, run, monkeypatch) -> None:
    monkeypatch.setattr(module, "_HANDSHAKE_SECONDS", 0.05)
    us = party("us")

    async def scenario() -> None:
        async with serving(us, asks=False) as face:
            with socket.create_connection(("127.0.0.1", face.listener.port)):
                assert await face.refused.get() == ("the handshake took too long", "127.0.0.1")

    run(scenario())


def test_a_client_that_asks_for_nothing_is_let_go(party, run, monkeypatch) -> None:
    monkeypatch.setattr(module, "_IDLE_SECONDS", 0.05)
    us = party("us")

    async def scenario() -> None:
        async with serving(us, asks=False) as face:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", face.listener.port, ssl=showing_none(us), server_hostname="127.0.0.1"
            )
            assert await reader.read() == b""
            writer.close()

    run(scenario())


def test_the_callback_may_fail_and_the_server_continues(party, run) -> None:
    us, partner = party("us", "police.example"), party("partner")

    def breaks(reason: str, address: str) -> None:
        raise RuntimeError(reason)

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        async with serving(us, partner, on_refused=breaks) as face:
            with pytest.raises(aiohttp.ClientError):
                await asked(face, showing_none(us))
            assert partner.fingerprint in await asked(face, showing(partner, us))

    run(scenario())


@pytest.mark.parametrize(
    "flood",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * HEAD_LIMIT * 8,
        b"GET /" + b"a" * HEAD_LIMIT * 8,
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"a" * HEAD_LIMIT * 8,
    ],
    ids=["header", "path", "trailer"],
)
def test_an_endless_head_is_cut_off(party, run, flood) -> None:
    us = party("us")

    async def scenario() -> None:
        async with serving(us, asks=False) as face:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", face.listener.port, ssl=showing_none(us), server_hostname="127.0.0.1"
            )
            writer.write(flood)
            assert await reader.readline() == b"HTTP/1.1 400 Bad Request\r\n"
            writer.transport.abort()

    run(scenario())


def test_a_body_may_be_far_larger_than_a_head(party, run) -> None:
    us = party("us")

    async def body() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"x" * 65_536

    async def scenario() -> None:
        async with serving(us, asks=False) as face, aiohttp.ClientSession() as session:
            context = showing_none(us)
            for sent in (body(), io.BytesIO(b"x" * 4_000_000), b"x"):
                async with session.post(face.url, data=sent, ssl=context) as answer:
                    assert answer.status == 200

    run(scenario())


def test_the_heads_of_many_requests_are_not_added_up(party, run) -> None:
    us = party("us")

    async def scenario() -> None:
        async with serving(us, asks=False) as face, aiohttp.ClientSession() as session:
            context, headers = showing_none(us), {"X": "a" * (HEAD_LIMIT // 4)}
            for _ in range(5):
                async with session.get(face.url, headers=headers, ssl=context) as answer:
                    assert answer.status == 200

    run(scenario())


def test_an_address_in_use_is_an_error_of_the_start(party, run) -> None:
    us = party("us")

    async def scenario() -> None:
        async with serving(us, asks=False) as face:
            other = Listener(says_who_called, "127.0.0.1", face.listener.port, face.context, print)
            with pytest.raises(OSError, match="in use"):
                await other.start()

    run(scenario())
