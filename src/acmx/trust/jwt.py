"""Signed JSON Web Tokens of an OpenID provider (RFC 7519), checked against the keys it publishes and nothing else.

The key is found by `kid`; the algorithm must be one that fits the key, so a public key is never taken for a secret.
Only signatures by private keys count: no HMAC, no `none`. A token that brings its own key, or asks for something that
has to be understood (`crit`), is refused.
"""

from typing import Any

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from acmx.domain.errors import NotAuthenticated

SHORTEST_RSA = 2048
_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_FITTING: dict[tuple[str, str | None], frozenset[str]] = {
    ("RSA", None): _RSA,
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
    ("EC", "P-521"): frozenset({"ES512"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA", "Ed25519"}),
}
_PUBLIC = ("kty", "crv", "n", "e", "x", "y")
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_REFUSED = frozenset({"jwk", "jku", "x5u", "x5c", "crit", "b64", "enc", "zip"})


class ProviderKey(msgspec.Struct, frozen=True):
    """A public key of the provider, and what may be signed with it."""

    key: Key
    algorithms: frozenset[str]


class _KeySet(msgspec.Struct, frozen=True):
    keys: tuple[dict[str, Any], ...]


class _Header(msgspec.Struct, frozen=True):
    alg: str
    kid: str
    typ: str = "JWT"


def keys_of(jwks: bytes) -> dict[str, ProviderKey]:
    """The keys for signatures in a JWK set (RFC 7517), by `kid`; what is of no use here is left aside.

    Raises ValueError where it is no JWK set.
    """
    members = msgspec.json.decode(jwks, type=_KeySet).keys
    return {member["kid"]: key for member in members if (key := _key(member))}


def kid_of(token: str) -> str:
    """Which key a token claims to be signed with. Raises NotAuthenticated."""
    return _header(token).kid


def claims_of(token: str, provider: ProviderKey) -> dict[str, Any]:
    """What a token says, once its signature is proved. Raises NotAuthenticated."""
    header = _header(token)
    if header.alg not in provider.algorithms:
        raise NotAuthenticated("its algorithm does not fit the key")
    signed, _, signature = token.rpartition(".")
    algorithm = JWSRegistry.algorithms[header.alg]
    try:
        genuine = algorithm.verify(
            signed.encode("ascii"), urlsafe_b64decode(signature.encode("ascii")), provider.key
        )
        claims = msgspec.json.decode(_part(signed, 1), type=dict[str, Any])
    except (JoseError, ValueError) as error:
        raise NotAuthenticated("the token is no signed JWT") from error
    if not genuine:
        raise NotAuthenticated("its signature is wrong")
    return claims


def _header(token: str) -> _Header:
    if token.count(".") != 2:
        raise NotAuthenticated("the token is no signed JWT")
    try:
        members = msgspec.json.decode(_part(token, 0), type=dict[str, Any])
        header = msgspec.convert(members, _Header)
    except ValueError as error:
        raise NotAuthenticated("the token is no signed JWT with a kid") from error
    if header.typ.lower() not in _TYPES:
        raise NotAuthenticated("it is another kind of token")
    if not _REFUSED.isdisjoint(members):
        raise NotAuthenticated("a token must not bring its own key, nor critical members")
    return header


def _part(token: str, n: int) -> bytes:
    return urlsafe_b64decode(token.split(".")[n].encode("ascii"))


def _key(member: dict[str, Any]) -> ProviderKey | None:
    if not isinstance(member.get("kid"), str):
        return None
    fitting = _FITTING.get((str(member.get("kty")), member.get("crv")), frozenset())
    if "alg" in member:
        fitting &= {member["alg"]}
    if not fitting or member.get("use", "sig") != "sig" or "d" in member:
        return None
    try:
        if member["kty"] == "RSA" and len(urlsafe_b64decode(member["n"].encode("ascii"))) < SHORTEST_RSA // 8:
            return None
        key = import_key({name: member[name] for name in _PUBLIC if name in member})
    except (JoseError, AttributeError, KeyError, TypeError, ValueError):
        return None
    return ProviderKey(key, fitting)
