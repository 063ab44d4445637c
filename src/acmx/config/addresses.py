"""Where a face listens, and where others reach it or are reached."""

import re

from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault
from acmx.domain.identities import host_and_port

_SAFE_URL = re.compile(r"https://[!-~]+|http://(127\.0\.0\.1|\[::1\]|localhost)(:[0-9]{1,5})?(/[!-~]*)?")


def endpoint(listen: str) -> tuple[str, int]:
    """Host (IPv6 without brackets) and port (0 to 65535) of `host:port` or `[v6]:port`. Raises FaultyInput."""
    host, _, port = listen.rpartition(":")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65535):
        raise FaultyInput([Fault("listen", listen, "must end in a colon and a port from 0 to 65535")])
    return _bare_host(host, listen), int(port)


def host_of(address: str) -> str:
    """Host (IPv6 without brackets) of `https://host` or `https://host:port`. Raises FaultyInput."""
    scheme, _, rest = address.partition("://")
    if scheme != "https":
        raise FaultyInput([Fault("address", address, "must begin with https://")])
    return host_and_port(rest, address)[0].strip("[]")


def is_safe_url(text: str) -> bool:
    """Whether it is on https, or on http and does not leave this machine."""
    return _SAFE_URL.fullmatch(text) is not None


def _bare_host(host: str, text: str) -> str:
    bare, port = host_and_port(host, text)
    if port:
        raise FaultyInput([Fault("listen", text, "must have one port")])
    return bare.strip("[]")
