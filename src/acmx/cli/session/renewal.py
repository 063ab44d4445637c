"""A log-on at an OpenID provider goes on by its refresh token; without one the person logs on again."""

import hmac
from datetime import UTC, datetime, timedelta

import msgspec

from acmx.cli.session import profiles
from acmx.cli.session.profiles import Profile
from acmx.cli.session.provider import Provider
from acmx.client import Client
from acmx.trust.code_flow import Tokens

SOON = timedelta(seconds=30)


def client_of(profile: Profile) -> Client:
    """Raises NotAuthenticated, IdentityProviderUnavailable, Misconfigured."""
    if profile.grant is None or profile.grant.refresh_token is None:
        return Client(profile.url, profile.session.token, profile.certificate)
    renewal = _Renewal(profile)
    if profile.session.ends_at < datetime.now(UTC) + SOON:
        renewal.renew()
    return Client(profile.url, renewal.profile.session.token, profile.certificate, renew=renewal.renew)


def ends_at(tokens: Tokens) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=tokens.expires_in)


class _Renewal:
    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    def renew(self) -> str:
        """Another access token. A refresh token may be good only once, so processes take turns."""
        with profiles.alone():
            stored = profiles.load(self.profile.name)
            if hmac.compare_digest(stored.session.token.encode(), self.profile.session.token.encode()):
                stored = _renewed(stored)
                profiles.replace(stored)
        self.profile = stored
        return stored.session.token


def _renewed(profile: Profile) -> Profile:
    grant = profile.grant
    assert grant is not None
    tokens = Provider(grant.issuer, grant.authority).tokens(
        grant_type="refresh_token",
        refresh_token=grant.refresh_token,
        client_id=grant.client_id,
        resource=grant.resource,
    )
    return msgspec.structs.replace(
        profile,
        session=msgspec.structs.replace(profile.session, token=tokens.access_token, ends_at=ends_at(tokens)),
        grant=msgspec.structs.replace(grant, refresh_token=tokens.refresh_token or grant.refresh_token),
    )
