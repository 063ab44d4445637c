"""Ports for servers that are told them before they listen."""

import errno
import secrets
import socket

_HOST = "127.0.0.1"
_PORTS = range(20_000, 32_768)
"""Systems choose ports above these for whoever asks for any."""


def reserve_port() -> int:
    """Reserve a TCP port of 127.0.0.1 among all who reserve one, until this process ends.

    The mark is the UDP port of the same number, which stays open. Raises OSError where none is left.
    """
    first = secrets.randbelow(len(_PORTS))
    for port in (*_PORTS[first:], *_PORTS[:first]):
        with socket.socket(type=socket.SOCK_DGRAM) as mark:
            try:
                mark.bind((_HOST, port))
                socket.create_server((_HOST, port)).close()
            except OSError:
                continue
            mark.detach()
            return int(port)
    raise OSError(errno.EADDRINUSE, f"No port of {_HOST} is free from {_PORTS[0]} to {_PORTS[-1]}.")
