"""Logging on with an OpenID provider in a browser on this machine (RFC 8252)."""

from collections.abc import Callable
from datetime import UTC, datetime

from acmx.cli.people.loopback import Loopback
from acmx.cli.session.provider import Provider
from acmx.domain.acm1 import ProviderSignIn
from acmx.domain.errors import NotAuthenticated
from acmx.trust import code_flow
from acmx.trust.code_flow import Tokens
from acmx.trust.jwt import kid_of

PATIENCE = 300.0


def log_on(provider: Provider, told: ProviderSignIn, show: Callable[[str], None]) -> Tokens:
    """`show` is given the address that a person has to open in a browser on this machine.

    Raises LogOnRefused, NotAuthenticated, IdentityProviderUnavailable.
    """
    attempt = code_flow.begin()
    with Loopback(attempt.state) as loopback:
        show(code_flow.address(provider.metadata, told, attempt, loopback.address))
        code = code_flow.code_of(provider.metadata, loopback.wait(PATIENCE))
        tokens = provider.tokens(**code_flow.form(told, attempt, loopback.address, code))
    key = provider.keys().get(kid_of(code_flow.id_token_of(tokens)))
    if key is None:
        raise NotAuthenticated("the ID token is signed by a key that the identity provider does not publish")
    now = datetime.now(UTC).timestamp()
    code_flow.check(tokens, key, provider.metadata, told.client_id, attempt.nonce, now)
    return tokens
