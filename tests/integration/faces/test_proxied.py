"""The PROXY protocol, version 2, byte by byte: what a proxy says is taken, and nothing else is."""

import asyncio
import socket

import pytest
from starlette.types import Receive, Scope, Send

from acmx.faces.listener import Listener
from acmx.faces.proxied import PREAMBLE, announced
from support.systems.systems import turns

V4 = bytes([192, 0, 2, 7, 127, 0, 0, 1]) + (4711).to_bytes(2) + (8441).to_bytes(2)
V6 = bytes.fromhex("20010db8" + "00" * 11 + "07" + "00" * 15 + "01") + (4711).to_bytes(2) + (8441).to_bytes(2)


def header(command: int, family: int, addresses: bytes) -> bytes:
    return PREAMBLE + bytes([command, family]) + len(addresses).to_bytes(2) + addresses


def hear(said: bytes) -> object:
    async def scenario() -> object:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            hearing = asyncio.create_task(announced(ours))
            for piece in (said[:5], said[5:]):
                await turns(2)
                theirs.sendall(piece)
            theirs.shutdown(socket.SHUT_WR)
            heard = await hearing
            rest = await asyncio.get_running_loop().sock_recv(ours, 100)
            return heard, rest

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        (header(0x21, 0x11, V4), ("192.0.2.7", 4711)),
        (header(0x21, 0x11, V4 + b"\x04\0\3abc"), ("192.0.2.7", 4711)),
        (header(0x21, 0x21, V6), ("2001:db8::7", 4711)),
        (header(0x20, 0, b""), None),
    ],
    ids=["IPv4", "more said", "IPv6", "the proxy itself"],
)
def test_the_client_is_heard_and_not_a_byte_more(said: bytes, heard: object) -> None:
    assert hear(said + b"\x16\3\1") == (heard, b"\x16\3\1")


@pytest.mark.parametrize(
    "said",
    [
        b"\x16\3\1" + bytes(100),
        b"PROXY TCP4 192.0.2.7 127.0.0.1 4711 8441\r\n",
        header(0x21, 0x31, bytes(216)),
        header(0x21, 0x12, V4),
        header(0x21, 0x11, V4[:6]),
        header(0x22, 0x11, V4),
        header(0x11, 0x11, V4),
        header(0x21, 0x11, bytes(513)),
    ],
    ids=["TLS", "version 1", "unix", "UDP", "cut off", "unknown command", "version 1 in binary", "too long"],
)
def test_anything_else_is_refused(said: bytes) -> None:
    with pytest.raises(ValueError, match="no PROXY header"):
        hear(said)


@pytest.mark.parametrize("said", [b"", PREAMBLE, header(0x21, 0x11, V4)[:-1]])
def test_who_leaves_before_is_refused_by_nobody(said: bytes) -> None:
    with pytest.raises(ConnectionError):
        hear(said)


async def ask(port: int, said: bytes, source: str = "127.0.0.1") -> bytes:
    """What a listener without TLS answers to a request that begins so."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    writer.write(said + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    try:
        return await reader.readuntil(b"\r\n\r\n") + await reader.read(100)
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""
    finally:
        writer.close()


async def who(scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
    await send({"type": "http.response.body", "body": repr(scope["client"]).encode()})


def answers(*asked: tuple[bytes, str]) -> tuple[list[bytes], list[tuple[str, str]]]:
    """One after the other, and what was refused meanwhile."""
    refused: list[tuple[str, str]] = []

    async def scenario() -> list[bytes]:
        listener = Listener(who, "127.0.0.1", 0, None, lambda *r: refused.append(r), ["127.0.0.1"])
        await listener.start()
        try:
            return [await ask(listener.port, *question) for question in asked]
        finally:
            await listener.stop(0.2)

    return asyncio.run(scenario()), refused


def test_the_application_sees_the_client_and_the_proxy_alone_may_name_it() -> None:
    told = header(0x21, 0x11, V4)
    found, refused = answers((told, "127.0.0.1"), (header(0x20, 0, b""), "127.0.0.1"), (told, "127.0.0.5"))
    assert b"('192.0.2.7', 4711)" in found[0]
    assert b"('127.0.0.1', " in found[1]
    assert found[2] == b""
    assert refused == [("not a proxy", "127.0.0.5")]


def test_a_client_behind_a_proxy_has_a_share_of_the_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acmx.faces.listener._MOST_OF_ONE", 0)
    found, refused = answers((header(0x21, 0x11, V4), "127.0.0.1"), (header(0x20, 0, b""), "127.0.0.1"))
    assert found[0] == b""
    assert found[1].startswith(b"HTTP/1.1 200")
    assert refused == [("too many connections", "192.0.2.7")]


def test_a_proxy_that_says_nothing_is_refused() -> None:
    assert answers((b"", "127.0.0.1")) == ([b""], [("no PROXY header", "127.0.0.1")])
