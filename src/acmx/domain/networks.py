"""Whose an IP address is, where one client has as many as it likes: an IPv6 network of 64 bits, or one IPv4 address."""

from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address


@lru_cache(4096)
def network_of(address: str) -> str:
    """`2001:db8:0:1::/64` of an IPv6 address, an IPv4 address itself; what is no address stays what it is."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if not isinstance(known, IPv6Address):
        return address
    return str(known.ipv4_mapped or IPv6Network((int(known), 64), strict=False))
