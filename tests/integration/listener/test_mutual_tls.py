"""Mutual TLS with pinned certificates: who is let in."""

import asyncio
import socket
import ssl
import warnings
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from acmx.domain.errors import FaultyInput, Misconfigured
from acmx.trust import tls
from support.partner.parties import asked, issued_by, refused_for, serving, showing, showing_none

pytestmark = pytest.mark.sqlite


def test_the_application_sees_the_fingerprint_of_a_pinned_certificate(party, run) -> None:
    us, partner, next_one = party("us", "police.example"), party("partner"), party("next")

    async def scenario() -> None:
        async with serving(us, partner, next_one) as face:
            assert await asked(face, showing(partner, us)) == repr({"peer_certificate": partner.fingerprint})
            assert await asked(face, showing(next_one, us)) == repr(
                {"peer_certificate": next_one.fingerprint}
            )
            assert face.refused.empty()

    run(scenario())


def test_acm_1_asks_for_no_certificate(party, run) -> None:
    us = party("us", "police.example")

    async def scenario() -> None:
        async with serving(us, asks=False) as face:
            assert await asked(face, showing_none(us)) == repr({"peer_certificate": None})

    run(scenario())


def test_two_faces_serve_in_one_event_loop(party, run) -> None:
    us, partner = party("us", "police.example"), party("partner")

    async def scenario() -> None:
        async with serving(us, asks=False) as acm_1, serving(us, partner) as acm_2:
            assert partner.fingerprint not in await asked(acm_1, showing(partner, us))
            assert partner.fingerprint in await asked(acm_2, showing(partner, us))

    run(scenario())


def test_a_client_without_a_certificate_is_refused_with_reason_and_address(party, run) -> None:
    us, partner = party("us", "police.example"), party("partner")

    async def scenario() -> None:
        async with serving(us, partner) as face:
            assert await refused_for(face, showing_none(us)) == (
                "peer did not return a certificate",
                "127.0.0.1",
            )
            assert partner.fingerprint in await asked(face, showing(partner, us))

    run(scenario())


@pytest.mark.parametrize("name", ["rail.example", "fire.example"], ids=["unknown", "same-name"])
def test_a_certificate_that_is_not_pinned_is_refused_whatever_its_name(party, run, name) -> None:
    us, partner, stranger = party("us", "police.example"), party("partner"), party("stranger", name)

    async def scenario() -> None:
        async with serving(us, partner) as face:
            assert await refused_for(face, showing(stranger, us)) == ("self-signed certificate", "127.0.0.1")
            assert partner.fingerprint in await asked(face, showing(partner, us))

    run(scenario())


def test_a_pinned_certificate_cannot_vouch_for_another(party, run, tmp_path) -> None:
    us, partner = party("us", "police.example"), party("partner")
    forged = issued_by(partner, tmp_path, "forged")

    async def scenario() -> None:
        async with serving(us, partner) as face:
            _reason, address = await refused_for(face, showing(forged, us))
            assert address == "127.0.0.1"

    run(scenario())


def test_of_what_one_issuer_issued_only_the_pinned_certificate_gets_in(party, run, tmp_path) -> None:
    us, issuer = party("us", "police.example"), party("issuer")
    pinned, sibling = issued_by(issuer, tmp_path, "pinned"), issued_by(issuer, tmp_path, "sibling")

    async def scenario() -> None:
        async with serving(us, pinned) as face:
            assert pinned.fingerprint in await asked(face, showing(pinned, us))
            for stranger in (sibling, issuer):
                _reason, address = await refused_for(face, showing(stranger, us))
                assert address == "127.0.0.1"

    run(scenario())


def test_a_pinned_certificate_that_has_expired_is_refused(party, run) -> None:
    us, partner = (
        party("us", "police.example"),
        party("partner", at=datetime.now(UTC) - timedelta(days=3)),
    )

    async def scenario() -> None:
        async with serving(us, partner) as face:
            assert await refused_for(face, showing(partner, us)) == ("certificate has expired", "127.0.0.1")

    run(scenario())


def test_one_that_has_expired_is_taken_where_only_the_time_is_asked_for(party, run) -> None:
    """By a clock that is years ahead every certificate has."""
    us, partner = (
        party("us", "police.example", at=datetime.now(UTC) - timedelta(days=3)),
        party("partner"),
    )

    async def scenario() -> None:
        async with serving(us, partner) as face:
            context = showing(partner, us)
            with pytest.raises(aiohttp.ClientError):
                await asked(face, context)
            tls.hold_at_any_time(context)
            assert partner.fingerprint in await asked(face, context)
            stranger = showing(partner, partner)
            tls.hold_at_any_time(stranger)
            with pytest.raises(aiohttp.ClientError):
                await asked(face, stranger)

    run(scenario())


def test_with_no_partner_pinned_everybody_is_refused(party, run) -> None:
    us, stranger = party("us", "police.example"), party("stranger")

    async def scenario() -> None:
        async with serving(us) as face:
            assert await refused_for(face, showing(stranger, us)) == ("self-signed certificate", "127.0.0.1")

    run(scenario())


def test_a_pin_added_to_a_live_server_is_taken_at_the_next_handshake(party, run) -> None:
    us, partner = party("us", "police.example"), party("partner")

    async def scenario() -> None:
        async with serving(us) as face:
            await refused_for(face, showing(partner, us))
            tls.pin(face.context, partner.pem)
            assert partner.fingerprint in await asked(face, showing(partner, us))

    run(scenario())


def test_tls_1_1_is_refused(party, run) -> None:
    us, partner = party("us", "police.example"), party("partner")
    old = showing(partner, us)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")

    async def scenario() -> None:
        async with serving(us, partner) as face:
            assert await refused_for(face, old) == ("unsupported protocol", "127.0.0.1")

    run(scenario())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_certificate_is_known_even_where_a_session_is_resumed(party, run, version) -> None:
    us, partner = party("us", "police.example"), party("partner")
    context = showing(partner, us)
    context.minimum_version = context.maximum_version = version

    def connect_twice(port: int) -> tuple[bool | None, bytes]:
        session = None
        for _ in range(2):
            with (
                socket.create_connection(("127.0.0.1", port)) as plain,
                context.wrap_socket(plain, session=session) as secure,
            ):
                secure.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                answer = b"".join(iter(lambda: secure.recv(4096), b""))
                session, resumed = secure.session, secure.session_reused
        return resumed, answer

    async def scenario() -> None:
        async with serving(us, partner) as face:
            resumed, answer = await asyncio.to_thread(connect_twice, face.listener.port)
            assert partner.fingerprint.encode() in answer
            assert resumed == (version == ssl.TLSVersion.TLSv1_2)

    run(scenario())


def test_a_client_takes_exactly_the_pinned_server(party, run) -> None:
    us, partner, impostor = (
        party("us", "police.example"),
        party("partner"),
        party("impostor", "police.example"),
    )

    async def scenario() -> None:
        async with serving(impostor, partner) as face:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await asked(face, showing(partner, us))

    run(scenario())


def test_a_key_that_does_not_fit_its_certificate_is_misconfigured(party) -> None:
    us, other = party("us"), party("other")
    with pytest.raises(Misconfigured, match=r"us\.pem"):
        tls.server_context(us.certificate, other.key, None)


def test_what_is_no_certificate_cannot_be_pinned(party) -> None:
    us = party("us")
    with pytest.raises(FaultyInput):
        tls.client_context(us.certificate, us.key, ["no PEM"])
