"""The PROXY protocol, version 2, byte by byte: what a proxy says is taken, and nothing else is."""

import asyncio
import socket

import pytest

from acmx.faces.proxied import SIGNATURE, announced

V4 = bytes([192, 0, 2, 7, 127, 0, 0, 1]) + (4711).to_bytes(2) + (8441).to_bytes(2)
V6 = bytes.fromhex("20010db8" + "00" * 11 + "07" + "00" * 15 + "01") + (4711).to_bytes(2) + (8441).to_bytes(2)


def header(command: int, family: int, addresses: bytes) -> bytes:
    return SIGNATURE + bytes([command, family]) + len(addresses).to_bytes(2) + addresses


def hear(said: bytes) -> object:
    async def scenario() -> object:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            for piece in (said[:5], said[5:]):
                theirs.sendall(piece)
                await asyncio.sleep(0)
            theirs.shutdown(socket.SHUT_WR)
            heard = await announced(ours)
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


@pytest.mark.parametrize("said", [b"", SIGNATURE, header(0x21, 0x11, V4)[:-1]])
def test_who_leaves_before_is_refused_by_nobody(said: bytes) -> None:
    with pytest.raises(ConnectionError):
        hear(said)
