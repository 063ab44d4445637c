"""X.509 certificates as they are pinned: one leaf, known by its fingerprint, never by its name or its issuer.

Functions that read a PEM text take its first certificate and raise FaultyInput if there is none.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault

_SIGN_ONLY = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


def self_signed(common_name: str, hosts: Sequence[str], *, now: datetime, days: int) -> tuple[bytes, bytes]:
    """Make a certificate (ECDSA P-256) for both ends of TLS and its private key (PKCS #8), both PEM.

    `hosts` are DNS names and IP addresses (IPv6 without brackets). It is valid from an hour before `now`, as
    clocks differ, until `days` after. X.509 allows a common name 64 characters; the rest is cut off, as
    nobody trusts a name.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_SIGN_ONLY, critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
            critical=False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    return (
        certificate.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def fingerprint(der: bytes) -> str:
    """SHA-256 of a certificate, 64 hexadecimal digits."""
    return hashlib.sha256(der).hexdigest()


def fingerprint_of_pem(pem: str) -> str:
    return fingerprint(der(pem))


def der(pem: str) -> bytes:
    return _load(pem).public_bytes(Encoding.DER)


def not_after(pem: str) -> datetime:
    """The last moment of its validity (UTC)."""
    return _load(pem).not_valid_after_utc


def validity(pem: str) -> tuple[datetime, datetime]:
    """Its first and its last moment (UTC)."""
    found = _load(pem)
    return found.not_valid_before_utc, found.not_valid_after_utc


def require_both_ends(pem: str) -> None:
    """Raises FaultyInput where it names extended key usages, but not both ends of TLS."""
    try:
        usages = set(_load(pem).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return
    if not {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH} <= usages:
        raise FaultyInput([Fault("certificate", "", "must be for server and client authentication")])


def _load(pem: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        first_line = pem.partition("\n")[0][:80]  # no more: it may be a private key
        raise FaultyInput(
            [Fault("certificate", first_line, "must be an X.509 certificate in PEM")]
        ) from error


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
