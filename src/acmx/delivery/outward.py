"""The sockets to others. What another system calls its address must not lead back into this machine.

The address is looked at when its socket is made, after the name was resolved, whoever resolved it and however the
address was written: a name that means something else at the second look gains nothing.
"""

import asyncio
import socket
from collections.abc import Callable
from errno import EACCES
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]
"""What `getaddrinfo` gives: family, type, protocol, canonical name, socket address."""

SocketTo = Callable[[AddressInfo], socket.socket]

_HOLD_IPV4 = (IPv6Network("::/96"), IPv6Network("64:ff9b::/96"))


class LocalAddress(OSError):
    """The address belongs to this machine, or means something on its own link alone."""


def sockets(*, allow_local: bool) -> SocketTo:
    """Makes a socket for an address, not yet connected; it raises LocalAddress unless such are allowed."""

    def socket_to(found: AddressInfo) -> socket.socket:
        family, type_, protocol, _, place = found
        if not allow_local and is_local(str(place[0])):
            words = f"{place[0]} is local to this machine, which [delivery] allow_local does not allow"
            raise LocalAddress(EACCES, words)
        return socket.socket(family, type_, protocol)

    return socket_to


async def connected(host: str, port: int, make: SocketTo) -> socket.socket:
    """A connected TCP socket to the first address of `host` that can be had. Raises OSError."""
    loop = asyncio.get_running_loop()
    failure = OSError(f"{host} has no address")
    for found in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            made = make(found)
        except LocalAddress as error:
            failure = error
            continue
        made.setblocking(False)
        try:
            await loop.sock_connect(made, found[4])
        except OSError as error:
            made.close()
            failure = error
        except BaseException:
            made.close()
            raise
        else:
            return made
    raise failure


def is_local(address: str) -> bool:
    """Whether an IP address is loopback, link-local, no single host's, or one of this machine's own."""
    bare = _bare(ip_address(address))
    return (
        bare.is_loopback
        or bare.is_link_local
        or bare.is_unspecified
        or bare.is_multicast
        or bare == IPv4Address("255.255.255.255")
        or _is_own(bare)
    )


def _bare(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside an IPv6 one that only carries it."""
    if isinstance(address, IPv4Address):
        return address
    inside = address.ipv4_mapped or address.sixtofour
    if inside is None and any(address in network for network in _HOLD_IPV4) and int(address) > 1:
        inside = IPv4Address(int(address) & 0xFFFFFFFF)
    return inside or address


def _is_own(address: IPv4Address | IPv6Address) -> bool:
    """What is sent to an address of one's own comes from that address. Nothing is sent here."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((str(address), 9))
        except OSError:
            return False
        return ip_address(probe.getsockname()[0]) == address
