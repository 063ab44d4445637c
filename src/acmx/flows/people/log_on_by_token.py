"""Steps 7 and 15 with an OpenID provider: whom an access token stands for, and what it lets them do."""

from collections.abc import Mapping
from typing import Any

from acmx.config import Oidc
from acmx.domain.errors import InsufficientScope, NotAuthenticated
from acmx.domain.identities import InvalidIdentity, mc_service_id
from acmx.domain.moments import to_ms
from acmx.flows.house import House
from acmx.flows.people import claim
from acmx.storage import journal
from acmx.storage.engine import Tx
from acmx.trust.openid import LEEWAY, check_times, is_for
from acmx.trust.roles import Caller

LONGEST_SUBJECT = 255


def caller(house: House, oidc: Oidc, claims: Mapping[str, Any]) -> Caller:
    """Who the holder of a token with these claims is; its signature is proved already.

    Raises NotAuthenticated; InsufficientScope.
    """
    now = to_ms(house.clock())
    if claims.get("iss") != oidc.issuer:
        raise NotAuthenticated("it is of another issuer")
    if not is_for(oidc.audience, claims):
        raise NotAuthenticated("it is for another audience")
    check_times(claims, now / 1000)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        raise NotAuthenticated("it names no subject")
    if oidc.scope not in str(claims.get("scope", "")).split(" "):
        raise InsufficientScope(scope=oidc.scope)
    client = claims.get("client_id", claims.get("azp"))
    return Caller(
        account=f"oidc:{subject}",
        mc_service_id=_identity(house, oidc, claims),
        functional_aliases=(),
        roles=_roles(oidc, claims),
        logged_on_at=_logged_on_at(claims, now),
        automatic=client == subject or client in oidc.automatic_clients,
        issuer=oidc.issuer,
    )


def ends_at(claims: Mapping[str, Any]) -> int:
    """Milliseconds."""
    return int((claims["exp"] + LEEWAY) * 1000)


def apply(tx: Tx, caller: Caller, at: int, *, first: bool) -> None:
    """The MC service ID becomes the subject's; at the `first` call of a token the log-on is written down.

    Raises NotAllowed where the MC service ID is another's.
    """
    claim.take_by_token(tx, caller, at)
    if first:
        journal.write(tx, at, "logged-on", caller.mc_service_id, account=caller.account, issuer=caller.issuer)


def _identity(house: House, oidc: Oidc, claims: Mapping[str, Any]) -> str:
    given: Any = next((claims[name] for name in oidc.mc_service_id_claims if name in claims), None)
    try:
        mc_service_id(given if isinstance(given, str) else "")
    except InvalidIdentity as error:
        raise NotAuthenticated(
            f"it carries no MC service ID in {', '.join(oidc.mc_service_id_claims)}"
        ) from error
    if house.realms.foreign([given]):
        raise NotAuthenticated(f"its MC service ID does not belong to {house.system}")
    identity: str = given
    return identity


def _roles(oidc: Oidc, claims: Mapping[str, Any]) -> tuple[str, ...]:
    """A claim of this very name, or else the member at the end of the path that its dots name."""
    found: Any = claims.get(oidc.role_claim)
    if found is None:
        found = claims
        for name in oidc.role_claim.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
    values = found.split() if isinstance(found, str) else found if isinstance(found, list) else []
    known = (oidc.roles[value] for value in values if isinstance(value, str) and value in oidc.roles)
    return tuple(dict.fromkeys(known))


def _logged_on_at(claims: Mapping[str, Any], now: int) -> int:
    said = claims.get("auth_time", claims.get("iat"))
    return min(int(said * 1000), now) if isinstance(said, int | float) else now
