"""Faults between two servers: after the fault every exchange ends the same on both sides, none lost, none twice."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from acmx.domain.errors import NotNow
from acmx.trust.certificates import self_signed
from support.faults.proxy import Fault
from support.systems.neighbours import Neighbours, until

pytestmark = [pytest.mark.slow, pytest.mark.law(2), pytest.mark.law(5), pytest.mark.law(6)]

LINK_FAILS = (Fault.CUT, Fault.BLACK_HOLE)
REQUESTS_ARE_HIT = (Fault.RESET_AFTER_REQUEST, Fault.DROPPED_REPLY)


def withdraw(neighbours: Neighbours, id_: str) -> None:
    try:
        neighbours.asker.withdraw(id_)
    except NotNow:
        assert neighbours.asker.exchange(id_).state == "answered"


@pytest.mark.parametrize(
    "fault", [fault for fault in Fault if fault is not Fault.NONE], ids=lambda f: f.name.lower()
)
def test_every_exchange_ends_the_same_on_both_sides(fault: Fault, neighbours: Neighbours) -> None:
    hits = [way.hits for way in neighbours.ways]
    taken_back, *_ = neighbours.submit(2, 1, 2, 1, 2)
    for way in neighbours.ways:
        way.inject(fault)
    neighbours.review_all()
    also_taken_back, *_ = neighbours.submit(2, 1, 2, 1)
    withdraw(neighbours, taken_back)
    withdraw(neighbours, also_taken_back)
    if fault in LINK_FAILS:
        until(neighbours.link_fails)
    if fault in REQUESTS_ARE_HIT:
        until(lambda: all(way.hits >= hit + 2 for way, hit in zip(neighbours.ways, hits, strict=True)))
    for way in neighbours.ways:
        way.inject(Fault.NONE)
    neighbours.submit(1, 2)
    neighbours.agree()


PAGE = b"HTTP/1.1 %s\r\nContent-Type: text/html\r\nContent-Length: 4\r\nConnection: close\r\n%s\r\nno\r\n"
GARBLED = b"ACM-Signature: eyJ\xff..\xf0\r\n"


@pytest.mark.parametrize(
    "page",
    [
        PAGE % (b"404 Not Found", b""),
        PAGE % (b"502 Bad Gateway", b""),
        PAGE % (b"200 OK", b""),
        PAGE % (b"409 Conflict", GARBLED),
        b"\0\xff" * 30,
    ],
    ids=["404", "502", "200", "garbled signature", "no HTTP"],
)
@pytest.mark.parametrize("tls", [True, False], ids=["tls", "plain"])
def test_an_http_proxy_s_own_pages_end_nothing(page: bytes, tls: bool, neighbours: Neighbours) -> None:
    neighbours.submit(1, 2)
    hits = [way.hits for way in neighbours.ways]
    for way, server in zip(neighbours.ways, (neighbours.fire, neighbours.police), strict=True):
        way.answer(page, server_context(server.directory / "tls") if tls else None)
    neighbours.submit(1, 2)
    until(lambda: neighbours.ways[0].hits >= hits[0] + 2)
    until(neighbours.link_fails)
    neighbours.mend()
    neighbours.submit(1, 2)
    neighbours.agree()


def test_a_wrong_certificate_in_the_middle_sees_no_message_and_ends_nothing(
    neighbours: Neighbours, tmp_path: Path
) -> None:
    neighbours.submit(1, 2)
    certificate, key = self_signed("localhost", ["127.0.0.1"], now=datetime.now(UTC), days=2)
    for name, pem in (("acm2.pem", certificate), ("acm2.key", key)):
        (tmp_path / name).write_bytes(pem)
    hits = [way.hits for way in neighbours.ways]
    for way in neighbours.ways:
        way.answer(PAGE % (b"200 OK", b""), server_context(tmp_path))
    neighbours.submit(1, 2)
    until(neighbours.link_fails)
    assert [way.hits for way in neighbours.ways] == hits
    neighbours.mend()
    neighbours.submit(1, 2)
    neighbours.agree()


def server_context(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "acm2.pem", folder / "acm2.key")
    return context
