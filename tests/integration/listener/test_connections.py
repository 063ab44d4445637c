"""Connections that do less than they should, or more: before, in and after a request."""

import asyncio
import contextlib
import gc
import io
import socket
import ssl
import struct
from asyncio import sslproto
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from acmx.faces import http
from acmx.faces import listener as module
from acmx.faces.http import HEAD_LIMIT
from acmx.faces.listener import Listener
from support.partner.parties import (
    GRACE,
    Face,
    asked,
    says_who_called,
    serving,
    showing,
    showing_none,
    streams,
)
from support.systems.systems import eventually, turns

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


@pytest.mark.parametrize(
    ("where", "name", "asks"),
    [(http, "_ARRIVES_SECONDS", b""), (module, "_IDLE_SECONDS", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")],
    ids=["from the beginning", "any more"],
)
def test_a_client_that_asks_for_nothing_is_let_go(party, run, monkeypatch, where, name, asks) -> None:
    monkeypatch.setattr(where, name, 0.05)
    us = party("us")

    async def scenario() -> None:
        async with serving(us, asks=False) as face:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", face.listener.port, ssl=showing_none(us), server_hostname="127.0.0.1"
            )
            writer.write(asks)
            assert (await reader.read()).startswith(b"HTTP/1.1 200" if asks else b"")
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


def silent(address: str, port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), source_address=(address, 0))


def gone(connections: list[socket.socket]) -> list[bool]:
    """Which of them the listener has ended."""
    ended = []
    for connection in connections:
        connection.setblocking(False)
        try:
            ended.append(connection.recv(1) == b"")
        except BlockingIOError:
            ended.append(False)
        except ConnectionError:
            ended.append(True)
    return ended


def servers_ends() -> list[sslproto.SSLProtocol]:
    gc.collect()
    return [found for found in gc.get_objects() if isinstance(found, sslproto.SSLProtocol)]


@pytest.mark.parametrize("says", [b"", b"\x16"], ids=["nothing", "half a hello"])
def test_a_flood_of_connections_that_ask_for_nothing_is_a_few_at_a_time(
    party, run, monkeypatch, says
) -> None:
    """The oldest of those who have most give way, and whoever speaks is served meanwhile."""
    monkeypatch.setattr(module, "_MOST_NEW", 12)
    monkeypatch.setattr(module, "_MOST_NEW_OF_ONE", 8)
    us = party("us")

    async def scenario() -> None:
        async with serving(us, asks=False) as face, contextlib.AsyncExitStack() as stack:
            port, flood = face.listener.port, []
            quiet = stack.enter_context(silent("127.0.0.9", port))
            for n in range(300):
                flood.append(stack.enter_context(silent(f"127.0.0.{2 + n % 3}", port)))
                flood[-1].sendall(says)
                await turns(6)
                assert face.listener._open.total() <= 12
            assert await asked(face, showing_none(us))
            assert gone([quiet, *flood]) == [False] + [True] * 290 + [False] * 10
            assert len(servers_ends()) == (10 if says else 0)
            assert {face.refused.get_nowait() for _ in range(face.refused.qsize())} == {
                ("too many connections that ask for nothing", f"127.0.0.{n}") for n in (2, 3, 4)
            }
            await eventually(lambda: list(face.listener._newcomers), lambda left: len(left) == 11)
            for connection in [quiet, *flood]:
                connection.close()
            await eventually(lambda: face.listener._open.total(), lambda left: left == 0)
            assert not list(face.listener._newcomers)

    run(scenario())


def test_one_address_alone_keeps_its_newest(party, run, monkeypatch) -> None:
    monkeypatch.setattr(module, "_MOST_NEW_OF_ONE", 4)
    us = party("us")

    async def scenario() -> None:
        async with serving(us, asks=False) as face, contextlib.AsyncExitStack() as stack:
            flood = []
            for _ in range(10):
                flood.append(stack.enter_context(silent("127.0.0.2", face.listener.port)))
                await turns(3)
            assert gone(flood) == [True] * 6 + [False] * 4
            await face.listener.stop(GRACE)
            assert gone(flood[6:]) == [True] * 4

    run(scenario())


def test_who_has_asked_counts_among_the_new_ones_no_more(party, run, monkeypatch) -> None:
    monkeypatch.setattr(module, "_MOST_NEW_OF_ONE", 1)
    us = party("us")

    async def scenario() -> None:
        async with serving(us, asks=False) as face:
            context, kept = showing_none(us), []
            for n in range(1, 6):
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", face.listener.port, ssl=context, server_hostname="127.0.0.1"
                )
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
                kept.append(writer)
                assert len(face.listener._state.connections) == n
            for writer in kept:
                writer.transport.abort()

    run(scenario())


@pytest.mark.parametrize(("most", "of_one"), [(4, 9), (9, 4)])
def test_of_connections_at_rest_the_newest_are_kept(party, run, monkeypatch, most, of_one) -> None:
    """Nobody is told; one whose answer goes on is none of them."""
    monkeypatch.setattr(module, "_MOST_AT_REST", most)
    monkeypatch.setattr(module, "_MOST_AT_REST_OF_ONE", of_one)
    us = party("us")

    async def app(scope, receive, send) -> None:
        if scope["path"] == "/stream":
            await streams(send)
            await receive()
            await asyncio.Event().wait()
        await says_who_called(scope, receive, send)

    async def scenario() -> None:
        async with serving(us, asks=False, app=app) as face:
            kept = [await answered(face, us, path) for path in ("/stream", *["/"] * 10)]
            ended = [await asyncio.wait_for(reader.read(), 5) for reader, _ in kept[1:7]]
            assert len(ended) == 6
            assert len(face.listener._state.connections) == 5
            for reader, writer in kept[-1:]:
                writer.write(REQUEST)
                assert await reader.readline() == OK
            assert face.refused.empty()
            for _, writer in kept:
                writer.transport.abort()
            await eventually(lambda: face.listener._open.total(), lambda left: left == 0)
            assert not list(face.listener._at_rest)

    run(scenario())


def test_a_body_that_comes_after_its_answer_keeps_no_connection(party, run, monkeypatch) -> None:
    monkeypatch.setattr(module, "_IDLE_SECONDS", 0.05)
    us = party("us")

    async def app(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x"})

    async def scenario() -> None:
        async with serving(us, asks=False, app=app) as face:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", face.listener.port, ssl=showing_none(us), server_hostname="127.0.0.1"
            )
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
            assert await reader.readline() == OK
            writer.write(b"12345")
            await asyncio.wait_for(reader.read(), 5)
            writer.close()

    run(scenario())


REQUEST, OK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 200 OK\r\n"


async def answered(face: Face, us, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which something was asked, and at least the beginning of the answer has come."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", face.listener.port, ssl=showing_none(us), server_hostname="127.0.0.1"
    )
    writer.write(REQUEST.replace(b"/", path.encode(), 1))
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(OK)
    await reader.readuntil(b"\n\r\n" if path == "/" else b":\n\n")
    return reader, writer


LARGE = 1_000_000


@pytest.mark.parametrize("sent", ["body", "answer", "head"])
def test_a_connection_at_rest_holds_nothing_of_what_went_over_it(party, run, sent) -> None:
    """Its largest body, answer and head would be 350, 1,060 and 130 KiB."""
    us, count, answer = party("us"), 200, LARGE if sent == "answer" else 10
    asks = {
        "body": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % LARGE + bytes(LARGE),
        "answer": REQUEST,
        "head": REQUEST[:-2] + b"X: " + b"a" * 60_000 + b"\r\n\r\n",
    }[sent]

    async def app(scope, receive, send) -> None:
        while (await receive())["more_body"]:
            pass
        length = [(b"content-length", str(answer).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": bytes(answer)})

    def visit(port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
        connection = context.wrap_socket(
            socket.create_connection(("127.0.0.1", port)), server_hostname="127.0.0.1"
        )
        connection.sendall(asks)
        with connection.makefile("rb") as reply:
            while reply.readline() != b"\r\n":
                pass
            assert len(reply.read(answer)) == answer
        return connection

    async def scenario() -> None:
        async with serving(us, asks=False, app=app) as face:
            context = showing_none(us)
            kept = [await asyncio.to_thread(visit, face.listener.port, context)]
            before = resident()
            kept += [await asyncio.to_thread(visit, face.listener.port, context) for _ in range(count)]
            assert (resident() - before) / count < 110
            for connection in kept:
                connection.close()

    run(scenario())


def resident() -> int:
    """Memory of this process, KiB."""
    return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0])
