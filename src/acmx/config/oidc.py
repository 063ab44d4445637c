"""What is wrong with the section about the OpenID provider."""

import re
from collections.abc import Iterator

from acmx.config.sections import Oidc
from acmx.domain.faults import Fault
from acmx.trust.roles import ROLES

_ISSUER = re.compile(r"https://[!\"$->@-~]+")
_SCOPE = re.compile(r"[!#-\[\]-~]+")


def faults_of_oidc(oidc: Oidc) -> Iterator[Fault]:
    """Every value that breaks a rule; none where the section is absent."""
    if oidc == Oidc():
        return
    if not _ISSUER.fullmatch(oidc.issuer):
        yield Fault("oidc.issuer", oidc.issuer, "must be a URL that begins with https://, without ? and #")
    for field, value in (("audience", oidc.audience), ("client_id", oidc.client_id)):
        if not value:
            yield Fault(f"oidc.{field}", "", "must not be empty")
    if oidc.audience == oidc.client_id != "":
        yield Fault("oidc.audience", oidc.audience, "must not be the client_id: ID tokens are made for that")
    if not _SCOPE.fullmatch(oidc.scope):
        yield Fault(
            "oidc.scope", oidc.scope, "must be one scope: printable ASCII without space, quote, backslash"
        )
    if not oidc.mc_service_id_claims:
        yield Fault("oidc.mc_service_id_claims", "", "must name a claim")
    yield from _faults_of_roles(oidc.roles)


def _faults_of_roles(roles: dict[str, str]) -> Iterator[Fault]:
    if not roles:
        yield Fault("oidc.roles", "", "must give a role to a value of role_claim: nobody could do anything")
    for value, role in roles.items():
        if role not in ROLES:
            yield Fault(f"oidc.roles.{value}", role, f"must be one of {', '.join(ROLES)}")
