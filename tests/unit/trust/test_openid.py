import json

import pytest

from acmx.domain.errors import IdentityProviderUnavailable, NotAuthenticated
from acmx.trust.openid import check_id_token, check_times, discovery_address, metadata_of

ISSUER = "https://login.fire.example/realms/fire"
NOW = 1_800_000_000


def document(**changes):
    usual = {
        "issuer": ISSUER,
        "jwks_uri": f"{ISSUER}/jwks",
        "authorization_endpoint": f"{ISSUER}/auth",
        "token_endpoint": f"{ISSUER}/token",
        "scopes_supported": ["openid"],
    }
    return json.dumps(
        {name: value for name, value in (usual | changes).items() if value is not None}
    ).encode()


def test_the_metadata_of_the_issuer_are_taken():
    assert discovery_address(ISSUER) == f"{ISSUER}/.well-known/openid-configuration"
    assert metadata_of(ISSUER, document()).token_endpoint == f"{ISSUER}/token"


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": ISSUER + "/"},
        {"issuer": ISSUER.upper()},
        {"issuer": None},
        {"jwks_uri": None},
        {"jwks_uri": "http://login.fire.example/jwks"},
        {"token_endpoint": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"revocation_endpoint": "http://login.fire.example/revoke"},
    ],
)
def test_other_metadata_are_not(changes):
    with pytest.raises(IdentityProviderUnavailable):
        metadata_of(ISSUER, document(**changes))


def test_what_is_no_document_is_not_either():
    with pytest.raises(IdentityProviderUnavailable):
        metadata_of(ISSUER, b"<html>")


def id_token(**changes):
    usual = {"iss": ISSUER, "aud": "acmx", "exp": NOW + 60, "iat": NOW, "nonce": "n", "sub": "okoye"}
    return {name: value for name, value in (usual | changes).items() if value is not None}


def check(claims):
    check_id_token(claims, issuer=ISSUER, client_id="acmx", nonce="n", now=NOW)


@pytest.mark.parametrize("changes", [{}, {"aud": ["acmx"]}, {"aud": ["acmx", "other"], "azp": "acmx"}])
def test_the_id_token_of_this_log_on_is_taken(changes):
    check(id_token(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": ISSUER + "/"},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"aud": ["other"]},
        {"aud": ["acmx", "other"], "azp": "other"},
        {"exp": NOW - 31},
        {"exp": None},
        {"iat": NOW + 31},
        {"nonce": "another"},
        {"nonce": None},
    ],
)
def test_another_id_token_is_not(changes):
    with pytest.raises(NotAuthenticated):
        check(id_token(**changes))


@pytest.mark.parametrize("moment", [True, "1800000000", None, [], {}, -1, 1e300])
def test_a_time_is_a_number_of_seconds(moment):
    with pytest.raises(NotAuthenticated):
        check_times({"exp": moment}, NOW)
    with pytest.raises(NotAuthenticated):
        check_times({"exp": NOW + 60, "nbf": moment}, NOW)
