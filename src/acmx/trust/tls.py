"""TLS of the faces: certificates are pinned one by one, no certification authority is asked.

A pinned certificate must itself be fit for both ends of TLS: if it names extended key usages, then server and
client. One that has expired is refused in the handshake, pinned or not.
"""

import ssl
from collections.abc import Iterable
from pathlib import Path

from acmx.domain.errors import Misconfigured
from acmx.trust import certificates

NO_CHECK_TIME = ssl.VerifyFlags(0x200000)
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, for which Python has no name."""


def server_context(certificate: Path, key: Path, pinned: Iterable[str] | None) -> ssl.SSLContext:
    """TLS 1.2 or later for one face, with our certificate and key (PEM files).

    With `pinned` (ACM-2) exactly these certificates (PEM) get in, with none nobody. No session tickets are
    given. A TLS 1.2 session can still be resumed by its id, which Python cannot switch off: it keeps the
    certificate that was shown, so the look-up of its fingerprint at every request sees it. With None (ACM-1)
    the client is asked for no certificate. Raises Misconfigured, FaultyInput.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _present(context, certificate, key)
    if pinned is not None:
        context.num_tickets = 0
        context.options |= ssl.OP_NO_TICKET
        _trust_only(context, pinned)
    return context


def client_context(certificate: Path, key: Path, pinned: Iterable[str]) -> ssl.SSLContext:
    """TLS 1.2 or later to one partner: shows our certificate, takes exactly its `pinned` ones (PEM).

    The name in the partner's certificate is not compared with the address. Raises Misconfigured, FaultyInput.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    _present(context, certificate, key)
    _trust_only(context, pinned)
    return context


def hold_at_any_time(context: ssl.SSLContext) -> None:
    """Take a pinned certificate whatever the time: that of this machine may be wrong."""
    context.verify_flags |= NO_CHECK_TIME


def pin(context: ssl.SSLContext, pem: str) -> None:
    """Trust one more certificate (PEM) from the next handshake on. Raises FaultyInput.

    OpenSSL cannot take a pin back from a live context: who still shows a removed certificate is refused by
    the look-up of its fingerprint at every request.
    """
    context.load_verify_locations(cadata=certificates.der(pem))


def _present(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ssl.SSLError) as error:
        raise Misconfigured(
            f"The certificate {certificate} with the key {key} cannot be used: {error}"
        ) from error


def _trust_only(context: ssl.SSLContext, pinned: Iterable[str]) -> None:
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    for pem in pinned:
        pin(context, pem)
