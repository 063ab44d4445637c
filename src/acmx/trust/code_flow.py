"""Authorization code with PKCE, as every client of an OpenID provider does it (RFC 7636, RFC 9207)."""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import urlencode

import msgspec

from acmx.domain.acm1 import ProviderSignIn
from acmx.domain.errors import LogOnRefused, NotAuthenticated
from acmx.trust.jwt import ProviderKey, claims_of
from acmx.trust.openid import Metadata, check_id_token


class Tokens(msgspec.Struct, frozen=True):
    """What the token endpoint gives; `expires_in` in seconds."""

    access_token: str
    expires_in: int = 60
    refresh_token: str | None = None
    id_token: str | None = None


class Attempt(msgspec.Struct, frozen=True):
    """One log-on under way: what only this client knows of it."""

    verifier: str
    state: str
    nonce: str


def begin() -> Attempt:
    return Attempt(*(secrets.token_urlsafe(32) for _ in range(3)))


def address(metadata: Metadata, told: ProviderSignIn, attempt: Attempt, redirect_uri: str) -> str:
    """Where the person logs on, to be sent back to `redirect_uri`."""
    parameters = {
        "response_type": "code",
        "client_id": told.client_id,
        "redirect_uri": redirect_uri,
        "scope": told.scope,
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": urlsafe_b64encode(sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        "resource": told.resource,
        "acr_values": told.acr_values,
        "prompt": "consent" if "offline_access" in told.scope.split() else None,
    }
    query = urlencode({name: value for name, value in parameters.items() if value is not None})
    endpoint = metadata.authorization_endpoint
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"


def code_of(metadata: Metadata, answer: Mapping[str, str]) -> str:
    """The code in an answer, which must be this provider's (RFC 9207). Raises LogOnRefused."""
    named = metadata.authorization_response_iss_parameter_supported or "iss" in answer
    if named and answer.get("iss") != metadata.issuer:
        raise LogOnRefused("the answer came from another issuer")
    if "code" not in answer:
        said = (answer.get("error", "no code"), answer.get("error_description", ""))
        raise LogOnRefused(f"the identity provider says: {' '.join(said).strip()}")
    return answer["code"]


def form(told: ProviderSignIn, attempt: Attempt, redirect_uri: str, code: str) -> dict[str, str | None]:
    """What the token endpoint is given for the code; None: not at all."""
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "client_id": told.client_id,
        "code_verifier": attempt.verifier,
        "resource": told.resource,
    }


def id_token_of(tokens: Tokens) -> str:
    """Raises NotAuthenticated."""
    if tokens.id_token is None:
        raise NotAuthenticated("the identity provider gave no ID token")
    return tokens.id_token


def check(
    tokens: Tokens, key: ProviderKey, metadata: Metadata, client_id: str, nonce: str, now: float
) -> None:
    """That the tokens are the answer to this log-on; `now` in seconds since 1970. Raises NotAuthenticated."""
    claims = claims_of(id_token_of(tokens), key)
    check_id_token(claims, issuer=metadata.issuer, client_id=client_id, nonce=nonce, now=now)
