"""Certificates with their keys, listeners that serve, and who asks them."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
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

from acmx.faces.listener import Listener
from acmx.trust import certificates, tls

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
