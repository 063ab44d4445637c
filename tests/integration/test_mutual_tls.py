"""Real servers on loopback, real TLS."""

import asyncio
import contextlib
import io
import socket
import ssl
import struct
import warnings
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from acmx.domain.errors import FaultyInput, Misconfigured
from acmx.faces import listener as module
from acmx.faces.http import HEAD_LIMIT
from acmx.faces.listener import Listener
from acmx.trust import certificates, tls

pytestmark = pytest.mark.sqlite

GRACE = 0.2


@dataclass
class Party:
    """A certificate with its key on disk."""

    certificate: Path
    key: Path

    @property
    def pem(self) -> str:
        return self.certificate.read_text()

    @property
    def fingerprint(self) -> str:
        return certificates.fingerprint_of_pem(self.pem)


@dataclass
class Face:
    """A running listener, what it refused, and what its application still waits for."""

    listener: Listener
    context: ssl.SSLContext
    refused: asyncio.Queue[tuple[str, str]]

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.listener.port}/"


@pytest.fixture
def run() -> Callable:
    def run(scenario):
        return asyncio.run(asyncio.wait_for(scenario, 20))

    return run


@pytest.fixture
def party(tmp_path) -> Callable[..., Party]:
    def make(file: str, name: str = "fire.example", at: datetime | None = None) -> Party:
        pem, key = certificates.self_signed(name, ["127.0.0.1"], now=at or datetime.now(UTC), days=2)
        made = Party(tmp_path / f"{file}.pem", tmp_path / f"{file}.key")
        made.certificate.write_bytes(pem)
        made.key.write_bytes(key)
        return made

    return make


def issued_by(issuer: Party, folder: Path, file: str) -> Party:
    """A certificate of the issuer's name that the issuer's key has signed."""
    old = x509.load_pem_x509_certificate(issuer.certificate.read_bytes())
    own_key = ec.generate_private_key(ec.SECP256R1())
    signed = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(old.subject)
        .public_key(own_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(old.not_valid_before_utc)
        .not_valid_after(old.not_valid_after_utc)
        .sign(load_pem_private_key(issuer.key.read_bytes(), None), SHA256())
    )
    made = Party(folder / f"{file}.pem", folder / f"{file}.key")
    made.certificate.write_bytes(signed.public_bytes(Encoding.PEM))
    made.key.write_bytes(own_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return made


async def says_who_called(scope, receive, send) -> None:
    message = {"more_body": True}
    while message.get("more_body"):
        message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": repr(scope["extensions"]["tls"]).encode()})


async def streams(send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b":\n\n", "more_body": True})


@contextlib.asynccontextmanager
async def serving(
    server: Party, *pinned: Party, app=says_who_called, asks=True, on_refused=None
) -> AsyncIterator[Face]:
    context = tls.server_context(server.certificate, server.key, [p.pem for p in pinned] if asks else None)
    refused: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    listener = Listener(
        app, "127.0.0.1", 0, context, on_refused or (lambda *refusal: refused.put_nowait(refusal))
    )
    await listener.start()
    try:
        yield Face(listener, context, refused)
    finally:
        await listener.stop(GRACE)


def showing(client: Party, server: Party) -> ssl.SSLContext:
    return tls.client_context(client.certificate, client.key, [server.pem])


def showing_none(server: Party) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=server.pem)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


async def asked(face: Face, context: ssl.SSLContext) -> str:
    async with aiohttp.ClientSession() as session, session.get(face.url, ssl=context) as answer:
        return await answer.text()


async def refused_for(face: Face, context: ssl.SSLContext) -> tuple[str, str]:
    with pytest.raises(aiohttp.ClientError):
        await asked(face, context)
    return await face.refused.get()


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


def test_a_reply_waits_for_no_acknowledgement(party, run) -> None:
    us, partner = party("us", "police.example"), party("partner")
    settings = []

    async def tells(scope, receive, send) -> None:
        (connection,) = face.listener._state.connections
        accepted = connection.transport.get_extra_info("socket")
        settings.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        await says_who_called(scope, receive, send)

    async def scenario() -> None:
        nonlocal face
        async with serving(us, partner, app=tells) as face:
            await asked(face, showing(partner, us))

    face: Face = None
    run(scenario())
    assert settings == [1]


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


def test_plain_http_on_the_tls_port_is_refused_with_the_reason(party, run) -> None:
    us = party("us")

    async def scenario() -> None:
        async with serving(us, asks=False) as face:
            reader, writer = await asyncio.open_connection("127.0.0.1", face.listener.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()
            assert await face.refused.get() == ("http request", "127.0.0.1")

    run(scenario())


@pytest.mark.parametrize("how", ["closes", "resets"])
def test_a_client_that_leaves_before_the_handshake_was_refused_by_nobody(party, run, how) -> None:
    us = party("us")

    async def scenario() -> None:
        async with serving(us, asks=False) as face:
            with socket.create_connection(("127.0.0.1", face.listener.port)) as visitor:
                if how == "resets":
                    visitor.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            assert await asked(face, showing_none(us))
            assert face.refused.empty()

    run(scenario())


def test_a_handshake_that_takes_too_long_is_refused_with_the_reason(party, run, monkeypatch) -> None:
    monkeypatch.setattr(module, "_HANDSHAKE_SECONDS", 0.05)
    us = party("us")

    async def scenario() -> None:
        async with serving(us, asks=False) as face:
            with socket.create_connection(("127.0.0.1", face.listener.port)):
                assert await face.refused.get() == ("the handshake took too long", "127.0.0.1")

    run(scenario())


def test_a_client_that_asks_for_nothing_is_let_go(party, run, monkeypatch) -> None:
    monkeypatch.setattr(module, "_IDLE_SECONDS", 0.05)
    us = party("us")

    async def scenario() -> None:
        async with serving(us, asks=False) as face:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", face.listener.port, ssl=showing_none(us), server_hostname="127.0.0.1"
            )
            assert await reader.read() == b""
            writer.close()

    run(scenario())


def test_the_callback_may_fail_and_the_server_continues(party, run) -> None:
    us, partner = party("us", "police.example"), party("partner")

    def breaks(reason: str, address: str) -> None:
        raise RuntimeError(reason)

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        async with serving(us, partner, on_refused=breaks) as face:
            with pytest.raises(aiohttp.ClientError):
                await asked(face, showing_none(us))
            assert partner.fingerprint in await asked(face, showing(partner, us))

    run(scenario())


async def read_and_cut_off(face: Face, context: ssl.SSLContext) -> None:
    async with aiohttp.ClientSession() as session, session.get(face.url, ssl=context) as stream:
        assert await stream.content.read(3) == b":\n\n"
        await asyncio.wait_for(face.listener.stop(GRACE), GRACE + 3)
        with pytest.raises(aiohttp.ClientError):
            await stream.content.read()


def test_a_stop_tells_an_open_stream_that_the_connection_is_gone(party, run) -> None:
    us, told = party("us"), []

    async def listens(scope, receive, send) -> None:
        await streams(send)
        await receive()
        told.append(await receive())

    async def scenario() -> None:
        async with serving(us, asks=False, app=listens) as face:
            await read_and_cut_off(face, showing_none(us))
            assert told == [{"type": "http.disconnect"}]

    run(scenario())


def test_a_stop_takes_bounded_time_while_a_stream_does_not_listen(party, run) -> None:
    us = party("us")

    async def never_ends(scope, receive, send) -> None:
        await streams(send)
        await asyncio.Event().wait()

    async def scenario() -> None:
        async with serving(us, asks=False, app=never_ends) as face:
            await read_and_cut_off(face, showing_none(us))

    run(scenario())


def test_a_stop_takes_bounded_time_while_a_client_says_nothing(party, run) -> None:
    us = party("us")

    async def scenario() -> None:
        async with serving(us, asks=False) as face:
            reader, writer = await asyncio.open_connection("127.0.0.1", face.listener.port)
            await asked(face, showing_none(us))
            await asyncio.wait_for(face.listener.stop(GRACE), GRACE + 3)
            with contextlib.suppress(ConnectionError):
                assert await asyncio.wait_for(reader.read(), 1) == b""
            writer.close()
            assert face.refused.empty()

    run(scenario())


def test_a_request_under_way_is_answered_before_the_stop(party, run) -> None:
    us = party("us")

    async def scenario() -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def slow(scope, receive, send) -> None:
            begun.set()
            await go_on.wait()
            await says_who_called(scope, receive, send)

        async with serving(us, asks=False, app=slow) as face:
            port = face.listener.port
            answer = asyncio.create_task(asked(face, showing_none(us)))
            await begun.wait()
            stop = asyncio.create_task(face.listener.stop(10))
            await asyncio.wait([stop], timeout=0.1)
            assert not stop.done()
            go_on.set()
            assert await answer == repr({"peer_certificate": None})
            await stop
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)

    run(scenario())


def test_a_stop_does_not_wait_for_an_idle_connection(party, run) -> None:
    us = party("us")

    async def scenario() -> None:
        async with serving(us, asks=False) as face, aiohttp.ClientSession() as session:
            async with session.get(face.url, ssl=showing_none(us)) as answer:
                await answer.read()
            await asyncio.wait_for(face.listener.stop(10), 5)

    run(scenario())


@pytest.mark.parametrize(
    "flood",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * HEAD_LIMIT * 8,
        b"GET /" + b"a" * HEAD_LIMIT * 8,
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"a" * HEAD_LIMIT * 8,
    ],
    ids=["header", "path", "trailer"],
)
def test_an_endless_head_is_cut_off(party, run, flood) -> None:
    us = party("us")

    async def scenario() -> None:
        async with serving(us, asks=False) as face:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", face.listener.port, ssl=showing_none(us), server_hostname="127.0.0.1"
            )
            writer.write(flood)
            assert await reader.readline() == b"HTTP/1.1 400 Bad Request\r\n"
            writer.transport.abort()

    run(scenario())


def test_a_body_may_be_far_larger_than_a_head(party, run) -> None:
    us = party("us")

    async def body() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b"x" * 65_536

    async def scenario() -> None:
        async with serving(us, asks=False) as face, aiohttp.ClientSession() as session:
            context = showing_none(us)
            for sent in (body(), io.BytesIO(b"x" * 4_000_000), b"x"):
                async with session.post(face.url, data=sent, ssl=context) as answer:
                    assert answer.status == 200

    run(scenario())


def test_the_heads_of_many_requests_are_not_added_up(party, run) -> None:
    us = party("us")

    async def scenario() -> None:
        async with serving(us, asks=False) as face, aiohttp.ClientSession() as session:
            context, headers = showing_none(us), {"X": "a" * (HEAD_LIMIT // 4)}
            for _ in range(5):
                async with session.get(face.url, headers=headers, ssl=context) as answer:
                    assert answer.status == 200

    run(scenario())


def test_an_address_in_use_is_an_error_of_the_start(party, run) -> None:
    us = party("us")

    async def scenario() -> None:
        async with serving(us, asks=False) as face:
            other = Listener(says_who_called, "127.0.0.1", face.listener.port, face.context, print)
            with pytest.raises(OSError, match="in use"):
                await other.start()

    run(scenario())


def test_a_key_that_does_not_fit_its_certificate_is_misconfigured(party) -> None:
    us, other = party("us"), party("other")
    with pytest.raises(Misconfigured, match=r"us\.pem"):
        tls.server_context(us.certificate, other.key, None)


def test_what_is_no_certificate_cannot_be_pinned(party) -> None:
    us = party("us")
    with pytest.raises(FaultyInput):
        tls.client_context(us.certificate, us.key, ["no PEM"])
