"""Logging on with an OpenID provider: authorization code with PKCE, in the browser (RFC 7636, RFC 8252)."""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import urlencode

from acmx.cli.loopback import Loopback
from acmx.cli.provider import Provider, Tokens
from acmx.domain.acm1 import ProviderSignIn
from acmx.domain.errors import LogOnRefused, NotAuthenticated
from acmx.trust.jwt import claims_of, kid_of
from acmx.trust.openid import Metadata, check_id_token

PATIENCE = 300.0


def log_on(provider: Provider, told: ProviderSignIn, show: Callable[[str], None]) -> Tokens:
    """`show` is given the address that a person has to open in a browser on this machine.

    Raises LogOnRefused, NotAuthenticated, IdentityProviderUnavailable.
    """
    verifier, state, nonce = (secrets.token_urlsafe(32) for _ in range(3))
    with Loopback(state) as loopback:
        parameters = {
            "response_type": "code",
            "client_id": told.client_id,
            "redirect_uri": loopback.address,
            "scope": told.scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            "resource": told.resource,
            "acr_values": told.acr_values,
            "prompt": "consent" if "offline_access" in told.scope.split() else None,
        }
        query = urlencode({name: value for name, value in parameters.items() if value is not None})
        endpoint = provider.metadata.authorization_endpoint
        show(f"{endpoint}{'&' if '?' in endpoint else '?'}{query}")
        code = code_of(provider.metadata, loopback.wait(PATIENCE))
        tokens = provider.tokens(
            grant_type="authorization_code",
            code=code,
            redirect_uri=loopback.address,
            client_id=told.client_id,
            code_verifier=verifier,
            resource=told.resource,
        )
    _check(provider, tokens, told.client_id, nonce)
    return tokens


def code_of(metadata: Metadata, answer: Mapping[str, str]) -> str:
    """The code in an answer, which must be this provider's (RFC 9207). Raises LogOnRefused."""
    named = metadata.authorization_response_iss_parameter_supported or "iss" in answer
    if named and answer.get("iss") != metadata.issuer:
        raise LogOnRefused("the answer came from another issuer")
    if "code" not in answer:
        said = (answer.get("error", "no code"), answer.get("error_description", ""))
        raise LogOnRefused(f"the identity provider says: {' '.join(said).strip()}")
    return answer["code"]


def _check(provider: Provider, tokens: Tokens, client_id: str, nonce: str) -> None:
    if tokens.id_token is None:
        raise NotAuthenticated("the identity provider gave no ID token")
    key = provider.keys().get(kid_of(tokens.id_token))
    if key is None:
        raise NotAuthenticated("the ID token is signed by a key that the identity provider does not publish")
    check_id_token(
        claims_of(tokens.id_token, key),
        issuer=provider.metadata.issuer,
        client_id=client_id,
        nonce=nonce,
        now=datetime.now(UTC).timestamp(),
    )
