"""Rows of the journal as they are hashed, and checkpoints as they are signed (docs/evidence.md)."""

from collections.abc import Mapping

import msgspec

from acmx.domain.documents import encode, read
from acmx.domain.errors import BadSignature, FaultyInput
from acmx.domain.faults import Fault
from acmx.domain.messages import VERSION
from acmx.domain.moments import from_ms, text
from acmx.domain.partnership import PublishedKey
from acmx.domain.records import Checkpoint, SignedCheckpoint
from acmx.trust.keys import VerifyKey, public_key
from acmx.trust.own import Own
from acmx.trust.signatures import ALWAYS, verify

_YEAR_9999_MS = 253_402_300_799_999


def line(
    number: int | None, at: int, event: str, actor: str, primary: str | None, id_: str | None, detail: str
) -> bytes:
    """One row as a JSON object on one line; `detail` is JSON and taken as it is stored. Never raises."""
    sane = isinstance(at, int) and 0 <= at <= _YEAR_9999_MS
    head = msgspec.json.encode(
        {
            "number": number,
            "at": text(from_ms(at)) if sane else at,
            "event": event,
            "actor": actor,
            "primary": primary,
            "exchange": id_,
        }
    )
    return head[:-1] + b',"detail":' + str(detail).encode() + b"}"


def sign_checkpoint(own: Own, size: int, root: bytes, at: int) -> SignedCheckpoint:
    """`at` in milliseconds."""
    body = encode(Checkpoint(VERSION, own.system, size, root.hex(), from_ms(at)))
    signature = own.sign(body, to=own.system, typ="acm-checkpoint", now=at // 1000)
    return SignedCheckpoint(body.decode(), signature, published(own))


def published(own: Own) -> PublishedKey:
    return PublishedKey(own.key.kid, own.key.public_jwk["x"])


def read_checkpoint(signed: SignedCheckpoint, keys: Mapping[str, VerifyKey] | None = None) -> Checkpoint:
    """What it says, once its signature is found good. Without `keys` the key in it is taken: compare that.

    Raises BadSignature, FaultyInput.
    """
    body = signed.checkpoint.encode()
    found = read(body, Checkpoint)
    key = signed.key
    own_key = public_key({"kty": key.kty, "crv": key.crv, "x": key.x, "kid": key.kid})
    seal = verify(
        signed.signature,
        body,
        {key.kid: own_key} if keys is None else keys,
        iss=found.system,
        aud=found.system,
        typ="acm-checkpoint",
        now=ALWAYS,
    )
    if seal.kid != key.kid:
        raise BadSignature("The checkpoint names another key than the one that signed it.")
    if found.size < 1:
        raise FaultyInput([Fault("size", str(found.size), "must be 1 or more")])
    return found
