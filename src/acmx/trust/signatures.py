"""The header ACM-Signature: a detached JWS (RFC 7515, appendix F) over the exact bytes of a body.

    ACM-Signature: BASE64URL(protected) ".." BASE64URL(signature)

BASE64URL is without padding. `protected` is a JSON object in UTF-8; the 64 bytes of `signature` are Ed25519
(RFC 8032) over this input, in ASCII:

    BASE64URL(protected) "." BASE64URL(body)

`protected` is taken as sent, never written anew, so its member order and spacing do not matter. Its members,
no others:

| member     | value                                                                                         |
|------------|-----------------------------------------------------------------------------------------------|
| `alg`      | "Ed25519" (RFC 9864) and nothing else                                                         |
| `kid`      | thumbprint of the sender's key (RFC 7638)                                                     |
| `iss`      | MC system ID of the sender, who signs                                                         |
| `aud`      | MC system ID of the receiver; of metadata made for nobody in particular, the sender's own     |
| `iat`      | time of this signature, whole seconds since 1970 (UTC)                                        |
| `typ`      | "acm-message", "acm-receipt", "acm-refusal", "acm-exchanges", "acm-partnership",              |
|            | "acm-metadata", or in files only "acm-checkpoint" and "acm-evidence" (docs/evidence.md)        |
| `exchange` | primary MC system ID "/" UUID; absent where no exchange is spoken of                          |
| `n`        | number of the message, from 1; absent together with `exchange`                                |

The place of a message is (exchange, sender, n). A message is signed by its sender, so its sender is `iss`; a
receipt or a refusal is signed by the one who got the message, so the sender of the message it speaks of is
`aud`. Hence `typ` with `iss` and `aud` name the place without doubt, and no further member is needed. The
receipt's body says which digest.

`crit` is not used: all members are mandatory to understand, and a header with an unknown member (`crit`,
`b64`, `jwk`, `jku`, `x5c` ... among them) is refused. The key comes from the partner's pinned keys and from
nowhere else; a revoked key is simply not among them. An old `iat` is no fault: replay protection is the
stored place and digest.
"""

import hashlib
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.registry import HeaderParameter
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode

from acmx.domain.errors import BadSignature, ClockAhead
from acmx.trust.keys import SigningKey, VerifyKey

ALGORITHM = "Ed25519"
CLOCK_TOLERANCE = 300
"""Seconds by which `iat` may be ahead of the receiver's clock."""

_YEAR_9999 = 253_402_300_799

ALWAYS = _YEAR_9999
"""`now` for a signature in a file: whoever reads it later cannot know how far ahead that clock was."""

Typ = Literal[
    "acm-message",
    "acm-receipt",
    "acm-refusal",
    "acm-exchanges",
    "acm-partnership",
    "acm-metadata",
    "acm-checkpoint",
    "acm-evidence",
]


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """What the protected header of a signature says; see the table above."""

    kid: str
    iss: str
    aud: str
    iat: Annotated[int, msgspec.Meta(ge=0, le=_YEAR_9999)]
    typ: Typ
    exchange: str | None = None
    n: Annotated[int, msgspec.Meta(ge=1)] | None = None


class _Protected(Seal, frozen=True, kw_only=True, forbid_unknown_fields=True):
    alg: Literal["Ed25519"]


class _Registry(jws.JWSRegistry):
    max_header_length = 2048  # two MC system IDs of 253 characters and an exchange do not fit the usual 512


_registry = _Registry(
    {
        "iss": HeaderParameter("Sender", "str", required=True),
        "aud": HeaderParameter("Receiver", "str", required=True),
        "iat": HeaderParameter("Time of the signature", "int", required=True),
        "exchange": HeaderParameter("Exchange", "str"),
        "n": HeaderParameter("Number of the message", "int"),
    },
    algorithms=[ALGORITHM],
)
_protected = msgspec.json.Decoder(_Protected)


def body_digest(body: bytes) -> str:
    """SHA-256 of a body, 64 hexadecimal digits."""
    return hashlib.sha256(body).hexdigest()


def sign(
    key: SigningKey,
    body: bytes,
    *,
    iss: str,
    aud: str,
    iat: int,
    typ: Typ,
    exchange: str | None = None,
    n: int | None = None,
) -> str:
    """Sign a body and return the value of ACM-Signature. `iat` in seconds since 1970."""
    protected: dict[str, Any] = {
        "alg": ALGORITHM,
        "kid": key.kid,
        "iss": iss,
        "aud": aud,
        "iat": iat,
        "typ": typ,
    }
    if exchange is not None:
        protected |= {"exchange": exchange, "n": n}
    return jws.detach_content(jws.serialize_compact(protected, body, key.okp, registry=_registry))


def verify(
    value: str | None,
    body: bytes,
    keys: Mapping[str, VerifyKey],
    *,
    iss: str,
    aud: str,
    typ: Typ | Collection[Typ],
    exchange: str | None = None,
    n: int | None = None,
    now: int,
) -> Seal:
    """Check the ACM-Signature `value` of a body and return what it says.

    `keys` are those of the one partner whose certificate was shown, by `kid`; `iss`, `aud`, `typ` (or
    several), `exchange` and `n` are what the signature has to name; `now` is in seconds since 1970.

    Raises BadSignature (the detail says why) and ClockAhead (members `signed_at` and `received_at`, RFC
    3339).
    """
    if not value:
        raise BadSignature("There is no ACM-Signature.")
    seal = _read(value)
    key = keys.get(seal.kid)
    if key is None:
        raise BadSignature(f"{iss} has no key {seal.kid[:43]!r} here that may sign.")
    if key.ends is not None and seal.iat > key.ends:
        raise BadSignature(f"The key was used after its end, {_rfc3339(key.ends)}.")
    _check_signature(value, body, key)
    _check_names(seal, iss=iss, aud=aud, typ={typ} if isinstance(typ, str) else typ)
    if (seal.exchange, seal.n) != (exchange, n):
        raise BadSignature("The signature is made for another exchange or message.")
    if seal.iat > now + CLOCK_TOLERANCE:
        raise ClockAhead(signed_at=_rfc3339(seal.iat), received_at=_rfc3339(now))
    return seal


def kid_of(value: str) -> str:
    """Which key the signature says it was made with. Raises BadSignature."""
    return _read(value).kid


def _read(value: str) -> Seal:
    parts = value.split(".")
    if len(parts) != 3 or parts[1] or len(value) > _registry.max_header_length + 128:
        raise BadSignature("The ACM-Signature is not a detached compact JWS.")
    if not _is_canonical(parts[2]):
        raise BadSignature("The signature is not 64 bytes in base64url without padding.")
    try:
        protected = _protected.decode(urlsafe_b64decode(parts[0].encode()))
    except (ValueError, msgspec.MsgspecError) as error:
        raise BadSignature(f"The protected header is wrong: {str(error)[:120]}") from error
    members = msgspec.structs.asdict(protected)
    del members["alg"]
    return Seal(**members)


def _is_canonical(encoded: str) -> bool:
    """Whether no other text stands for the same bytes."""
    try:
        return urlsafe_b64encode(urlsafe_b64decode(encoded.encode())).decode() == encoded
    except ValueError:
        return False


def _check_signature(value: str, body: bytes, key: VerifyKey) -> None:
    try:
        jws.deserialize_compact(value, key.okp, registry=_registry, payload=body)
    except JoseError as error:
        raise BadSignature("The signature does not fit the body.") from error


def _check_names(seal: Seal, *, iss: str, aud: str, typ: Collection[Typ]) -> None:
    if seal.iss != iss:
        raise BadSignature(f"The signature does not name {iss} as its sender.")
    if seal.aud != aud:
        raise BadSignature(f"The signature is not made for {aud}.")
    if seal.typ not in typ:
        raise BadSignature(f"The signature is made for another type of body: {seal.typ}.")


def _rfc3339(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
