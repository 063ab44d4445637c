"""The client of a connection behind a proxy, as the proxy says before anything else (PROXY protocol, version 2)."""

import asyncio
import socket
from ipaddress import ip_address

Address = tuple[str, int]

PREAMBLE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL, PROXY = 0x20, 0x21
IP_BYTES = {0x11: 4, 0x21: 16}
"""By address family and protocol: TCP over IPv4, TCP over IPv6."""
LONGEST = 512
FAULT = "no PROXY header"


async def announced(connection: socket.socket) -> Address | None:
    """The client's IP address and port; None where the proxy speaks for itself. Reads the header and no byte more.

    Raises ValueError where there is no header of this version, ConnectionError where the connection ends before one.
    """
    connection.setblocking(False)
    head = await _exactly(connection, 16)
    command, family, length = head[12], head[13], int.from_bytes(head[14:])
    if head[:12] != PREAMBLE or command not in (LOCAL, PROXY) or length > LONGEST:
        raise ValueError(FAULT)
    rest = await _exactly(connection, length)
    if command == LOCAL:
        return None
    size = IP_BYTES.get(family, LONGEST)
    if length < 2 * size + 4:
        raise ValueError(FAULT)
    return str(ip_address(rest[:size])), int.from_bytes(rest[2 * size : 2 * size + 2])


async def _exactly(connection: socket.socket, size: int) -> bytes:
    loop = asyncio.get_running_loop()
    found = b""
    while len(found) < size:
        piece = await loop.sock_recv(connection, size - len(found))
        if not piece:
            raise ConnectionError
        found += piece
    return found
