"""What is pinned of a partner, ready for use: its keys and the fingerprints of its certificates."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault
from acmx.domain.identities import host_and_port
from acmx.domain.messages import VERSION
from acmx.domain.partnership import Metadata, PartnerFile
from acmx.trust.certificates import fingerprint_of_pem
from acmx.trust.keys import VerifyKey, public_key
from acmx.trust.signatures import verify


@dataclass(frozen=True)
class Pinned:
    """The metadata that was accepted, with the keys by `kid` and the fingerprints of the certificates."""

    metadata: Metadata
    keys: Mapping[str, VerifyKey]
    fingerprints: frozenset[str]


@lru_cache(maxsize=1024)
def pinned(metadata: bytes) -> Pinned:
    """Raises FaultyInput where a key or a certificate cannot be used."""
    read = msgspec.json.decode(metadata, type=Metadata)
    keys = [
        public_key(
            {"kty": key.kty, "crv": key.crv, "x": key.x, "kid": key.kid},
            int(key.ends_at.timestamp()) if key.ends_at else None,
        )
        for key in read.keys
    ]
    return Pinned(read, {key.kid: key for key in keys}, frozenset(map(fingerprint_of_pem, read.certificates)))


def read_metadata(body: bytes) -> Pinned:
    """Metadata that can be pinned. Raises FaultyInput."""
    try:
        found = pinned(body)
    except (msgspec.MsgspecError, ValueError) as error:
        raise FaultyInput([], f"there is no readable metadata: {error}") from None
    if faults := found.metadata.realms.faults():
        raise FaultyInput(faults)
    if VERSION not in found.metadata.versions:
        raise FaultyInput(
            [], f"the partner speaks {', '.join(found.metadata.versions)}, this system {VERSION}"
        )
    _check_address(found.metadata.address)
    return found


def read_partner_file(file: PartnerFile, now: int) -> tuple[bytes, Pinned]:
    """The metadata in a file that people handed over, signed by a key in it. Raises FaultyInput, BadSignature."""
    body = file.metadata.encode()
    found = read_metadata(body)
    system = found.metadata.system
    verify(file.signature, body, found.keys, iss=system, aud=system, typ="acm-metadata", now=now)
    return body, found


def _check_address(address: str) -> None:
    scheme, _, place = address.partition("://")
    if scheme != "https":
        raise FaultyInput(
            [Fault("metadata.address", address[:255], "must be https://host or https://host:port")]
        )
    host_and_port(place, address)
