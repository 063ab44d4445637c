"""Whose word the client takes: exactly one pinned certificate, or those of the system's trust store."""

import hashlib
import socket
import ssl
from pathlib import Path

import msgspec
from urllib3.util import Url, parse_url

from acmx.domain.errors import FaultyInput, Unreachable
from acmx.domain.faults import Fault

DEFAULT_PORT = 443
CONNECT_SECONDS = 5.0


class Shown(msgspec.Struct, frozen=True):
    """The certificate that a server shows (PEM), its SHA-256, and whether the system's store trusts it."""

    pem: str
    sha256: str
    trusted: bool


def address_of(url: str) -> Url:
    """Raises FaultyInput where the base URL of an ACM server is no https URL."""
    try:
        address = parse_url(url)
    except ValueError:
        address = Url()
    if address.scheme != "https" or not address.host or address.auth or address.query or address.fragment:
        raise FaultyInput(
            [Fault("url", url, "must be an https URL with a host, without user name and query")]
        )
    return address


def fingerprint(pem: str) -> str:
    """SHA-256 of the first certificate in a PEM text, 64 hexadecimal digits. Raises FaultyInput."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    _, found, rest = pem.partition(begin)
    try:
        der = ssl.PEM_cert_to_DER_cert(found + rest.partition(end)[0] + end)
    except ValueError:
        raise FaultyInput([Fault("certificate", "", "must be an X.509 certificate in PEM")]) from None
    return hashlib.sha256(der).hexdigest()


def context_for(pem: str | None) -> ssl.SSLContext:
    """TLS 1.2 or later that trusts the certificate `pem` alone, whatever its name, or else the system's store.

    Raises FaultyInput.
    """
    if pem is None:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError):
        raise FaultyInput([Fault("certificate", "", "must be an X.509 certificate in PEM")]) from None
    return context


def read(path: Path) -> str:
    """The text of a certificate file. Raises FaultyInput."""
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise FaultyInput([Fault("certificate", str(path), f"cannot be read: {error}")]) from None


def shown_at(url: str) -> Shown:
    """Ask the server for its certificate, and send nothing. Raises FaultyInput, Unreachable."""
    address = address_of(url)
    try:
        return _shown(address, ssl.create_default_context(), trusted=True)
    except ssl.SSLCertVerificationError:
        anyone = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anyone.check_hostname = False
        anyone.verify_mode = ssl.CERT_NONE
    except OSError as error:
        raise Unreachable(f"{url}: {error}") from error
    try:
        return _shown(address, anyone, trusted=False)
    except OSError as error:
        raise Unreachable(f"{url}: {error}") from error


def _shown(address: Url, context: ssl.SSLContext, *, trusted: bool) -> Shown:
    host = str(address.host).strip("[]")
    with (
        socket.create_connection((host, address.port or DEFAULT_PORT), CONNECT_SECONDS) as connection,
        context.wrap_socket(connection, server_hostname=host) as tls,
    ):
        der = tls.getpeercert(binary_form=True) or b""
    return Shown(ssl.DER_cert_to_PEM_cert(der), hashlib.sha256(der).hexdigest(), trusted)
