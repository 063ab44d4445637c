"""The signing keys of an MC system: Ed25519, written as JSON Web Keys (RFC 8037), named by their thumbprint.

The `kid` of a key is its JWK thumbprint (RFC 7638, SHA-256, base64url, 43 characters): nobody chooses the
name of a key, and whoever has compared the name has compared the key.
"""

import hmac
import os
import re
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.util import urlsafe_b64decode

from acmx.domain.errors import FaultyInput, Misconfigured
from acmx.domain.faults import Fault


@dataclass(frozen=True)
class SigningKey:
    """A private Ed25519 key. It never leaves this machine."""

    okp: OKPKey = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        return cls(OKPKey.generate_key("Ed25519"))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a PKCS #8 PEM file. Raises Misconfigured if it holds no unencrypted Ed25519 private key."""
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except (OSError, TypeError, ValueError) as error:
            raise Misconfigured(f"The signing key {path} cannot be read: {error}") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise Misconfigured(f"The signing key {path} is not an Ed25519 key.")
        return cls(OKPKey.import_key(key))

    def save(self, path: Path) -> None:
        """Write a PKCS #8 PEM file as `write_secret` does. Raises FileExistsError, OSError."""
        write_secret(path, self.okp.as_pem(private=True))

    @cached_property
    def kid(self) -> str:
        return self.okp.thumbprint()

    @property
    def public_jwk(self) -> dict[str, str]:
        """The members `kty`, `crv`, `x` and `kid`: what a partner is given."""
        return {"kty": "OKP", "crv": "Ed25519", "x": str(self.okp["x"]), "kid": self.kid}


@dataclass(frozen=True)
class VerifyKey:
    """A public Ed25519 key, and the second (Unix time) after which nothing may be signed with it any more."""

    okp: OKPKey = field(repr=False)
    kid: str
    ends: int | None = None


def public_key(jwk: Mapping[str, object], ends: int | None = None) -> VerifyKey:
    """Read the public JWK of a partner: `kty` "OKP", `crv` "Ed25519", `x`, and their thumbprint as `kid`.

    Other members are left aside, except the private `d`. Raises FaultyInput.
    """
    if "d" in jwk:
        raise _faulty("d", "(not shown)", "is the private half, which must never be sent; this key is burnt")
    for member, needed in (("kty", "OKP"), ("crv", "Ed25519")):
        if jwk.get(member) != needed:
            raise _faulty(member, jwk.get(member), f"must be {needed}")
    x = jwk.get("x")
    try:
        okp = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x})  # type: ignore[dict-item]
    except (JoseError, ValueError) as error:
        raise _faulty("x", x, "must be 32 bytes in base64url without padding") from error
    if jwk.get("kid") != okp.thumbprint():
        raise _faulty("kid", jwk.get("kid"), "must be the thumbprint of the key (RFC 7638)")
    return VerifyKey(okp, okp.thumbprint(), ends)


def spoken(kid: str) -> str:
    """The thumbprint as people compare it over the telephone: 12 groups of 5 decimal digits.

    The 32 bytes of the thumbprint are read as one number, most significant byte first; its last 60 decimal
    digits (199 bits) are written with leading zeros, five by five, a space between. Raises FaultyInput.
    """
    try:
        digest = urlsafe_b64decode(kid.encode())
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise _faulty("kid", kid, "must be 32 bytes in base64url without padding")
    return digit_groups(digest)


def digit_groups(digest: bytes) -> str:
    """32 bytes as `spoken` writes those of a thumbprint."""
    digits = f"{int.from_bytes(digest) % 10**60:060d}"
    return " ".join(digits[i : i + 5] for i in range(0, 60, 5))


def same_key(said: str, kid: str) -> bool:
    """Whether `said` is the thumbprint `kid`, as it is or as it is spoken, in time that does not tell how nearly."""
    digits = re.sub(r"[\s-]", "", said)
    forms = ((said.strip(), kid), (digits, spoken(kid).replace(" ", "")))
    return any(hmac.compare_digest(one.encode(), other.encode()) for one, other in forms)


def is_among(kid: str, thumbprints: Collection[str]) -> bool:
    """Whether the key is one of these, each named by its `kid` or by its spoken digits."""
    return any(same_key(named, kid) for named in thumbprints)


def write_secret(path: Path, content: bytes) -> None:
    """Make a durable file that only its owner may read (mode 0600): whole or not at all, never over another.

    Raises FileExistsError, OSError.
    """
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.link(draft, path)
    finally:
        Path(draft).unlink()
    sync(path.parent)


def sync(path: Path) -> None:
    """Make what was done to a file, or in a directory, durable. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _faulty(member: str, value: object, rule: str) -> FaultyInput:
    return FaultyInput([Fault(member, str(value)[:100], rule)])
