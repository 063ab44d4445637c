"""What an OpenID provider says of itself (OpenID Connect Discovery 1.0), and its ID tokens."""

from collections.abc import Mapping
from typing import Any

import msgspec

from acmx.domain.errors import IdentityProviderUnavailable, NotAuthenticated

LEEWAY = 30
"""Seconds by which the clocks of the provider and of this machine may differ."""


_YEAR_9999 = 253_402_300_799


class Metadata(msgspec.Struct, frozen=True):
    """The addresses of a provider."""

    issuer: str
    jwks_uri: str
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str | None = None
    authorization_response_iss_parameter_supported: bool = False


def discovery_address(issuer: str) -> str:
    return issuer.rstrip("/") + "/.well-known/openid-configuration"


def metadata_of(issuer: str, document: bytes) -> Metadata:
    """Raises IdentityProviderUnavailable where this is not the metadata of exactly this issuer, or not all by https."""
    try:
        metadata = msgspec.json.decode(document, type=Metadata)
    except ValueError as error:
        raise IdentityProviderUnavailable(f"{issuer} gave no OpenID metadata: {error}") from error
    if metadata.issuer != issuer:
        raise IdentityProviderUnavailable(f"{issuer} says that it is {metadata.issuer[:200]}")
    addresses = (metadata.jwks_uri, metadata.authorization_endpoint, metadata.token_endpoint)
    for address in (*addresses, metadata.revocation_endpoint or issuer):
        if not address.startswith("https://"):
            raise IdentityProviderUnavailable(f"{issuer} names an address without TLS: {address[:200]}")
    return metadata


def check_times(claims: Mapping[str, Any], now: float) -> None:
    """`now` in seconds since 1970. Raises NotAuthenticated."""
    ends: Any = claims.get("exp")
    begins = [claims[name] for name in ("nbf", "iat") if name in claims]
    for moment in (ends, *begins):
        if isinstance(moment, bool) or not isinstance(moment, int | float) or not 0 <= moment <= _YEAR_9999:
            raise NotAuthenticated("its times are not seconds since 1970")
    if now > ends + LEEWAY:
        raise NotAuthenticated("the token has expired")
    if any(begin > now + LEEWAY for begin in begins):
        raise NotAuthenticated("the token is from the future")


def is_for(audience: str, claims: Mapping[str, Any]) -> bool:
    named = claims.get("aud")
    return audience in named if isinstance(named, list) else audience == named


def check_id_token(claims: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str, now: float) -> None:
    """OpenID Connect Core 1.0, 3.1.3.7. `now` in seconds since 1970. Raises NotAuthenticated."""
    if claims.get("iss") != issuer:
        raise NotAuthenticated("the ID token is of another issuer")
    if not is_for(client_id, claims) or claims.get("azp", client_id) != client_id:
        raise NotAuthenticated("the ID token is for another client")
    check_times(claims, now)
    if claims.get("nonce") != nonce:
        raise NotAuthenticated("the ID token does not belong to this log-on")
