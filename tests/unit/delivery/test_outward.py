"""What another system calls its address must not lead back into this machine, however it is written."""

import asyncio
import socket
from collections.abc import Iterator

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acmx.delivery.outward import LocalAddress, connected, is_local, sockets

LOCAL = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "169.254.169.254",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::1%lo",
    "fe80::1",
    "fe80::1%eth0",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::127.0.0.1",
    "2002:7f00:1::",
]
SPELLINGS = [
    "127.0.0.1",
    "localhost",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.1",
    "0",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
]


@pytest.mark.parametrize("address", LOCAL)
def test_an_address_of_this_machine_or_its_own_link_is_local(address: str) -> None:
    assert is_local(address)


@pytest.mark.parametrize(
    "address", ["192.0.2.1", "10.1.2.3", "172.16.0.9", "192.168.7.7", "2001:db8::1", "fd12::1"]
)
def test_another_machine_is_not_local_in_a_private_network_neither(address: str) -> None:
    assert not is_local(address)


def test_an_own_address_that_is_not_loopback_is_local_too() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine is connected to nothing")
        assert is_local(probe.getsockname()[0])


@given(st.ip_addresses())
def test_every_address_is_local_or_not(address: object) -> None:
    assert is_local(str(address)) in (True, False)


@pytest.fixture
def here() -> Iterator[socket.socket]:
    """Somebody who listens on every address of this machine, and knows if anybody came."""
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listening:
        listening.setblocking(False)
        yield listening


def nobody_came(here: socket.socket) -> bool:
    try:
        here.accept()[0].close()
    except BlockingIOError:
        return True
    return False


async def asked(url: str, *, allow_local: bool) -> None:
    connector = aiohttp.TCPConnector(socket_factory=sockets(allow_local=allow_local))
    timeout = aiohttp.ClientTimeout(total=0.5)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
        await http.get(url)


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_of_loopback_is_connected_to_by_http(here: socket.socket, host: str) -> None:
    url = f"http://{host}:{here.getsockname()[1]}/"
    with pytest.raises(aiohttp.ClientError, match=r"allow_local|canonical IPv4"):
        asyncio.run(asked(url, allow_local=False))
    assert nobody_came(here)


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_of_loopback_is_connected_to_without_http(here: socket.socket, host: str) -> None:
    port = here.getsockname()[1]
    with pytest.raises(LocalAddress, match="allow_local"):
        asyncio.run(connected(host.strip("[]"), port, sockets(allow_local=False)))
    assert nobody_came(here)


def test_where_it_is_allowed_loopback_is_connected_to(here: socket.socket) -> None:
    port = here.getsockname()[1]

    async def scenario() -> None:
        (await connected("127.0.0.1", port, sockets(allow_local=True))).close()
        with pytest.raises(asyncio.TimeoutError):
            await asked(f"http://127.0.0.1:{port}/", allow_local=True)

    asyncio.run(scenario())
    assert not nobody_came(here)


def test_a_name_is_judged_by_what_it_means_when_the_connection_is_made(here: socket.socket) -> None:
    """A name that first means another machine and then this one (DNS rebinding)."""

    class Rebinding(aiohttp.abc.AbstractResolver):
        def __init__(self) -> None:
            self.answers = ["192.0.2.1", "127.0.0.1"]

        async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[aiohttp.abc.ResolveResult]:
            address = self.answers.pop(0)
            return [
                {
                    "hostname": host,
                    "host": address,
                    "port": port,
                    "family": socket.AF_INET,
                    "proto": 0,
                    "flags": 0,
                }
            ]

        async def close(self) -> None:
            pass

    async def scenario() -> None:
        resolver = Rebinding()
        assert not is_local((await resolver.resolve("partner.example"))[0]["host"])
        connector = aiohttp.TCPConnector(resolver=resolver, socket_factory=sockets(allow_local=False))
        async with aiohttp.ClientSession(connector=connector) as http:
            with pytest.raises(aiohttp.ClientConnectorError, match="allow_local"):
                await http.get(f"http://partner.example:{here.getsockname()[1]}/")

    asyncio.run(scenario())
    assert nobody_came(here)
