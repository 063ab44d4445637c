"""Step 2 at A: may this person do this? What a check refuses stays here, with the rule that refused."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from acmx.domain.errors import FaultyInput
from acmx.domain.identities import mc_service_id
from acmx.domain.messages import Request
from acmx.flows.house import House
from acmx.flows.policy import read_policy
from acmx.flows.policy.facts import facts_of
from acmx.kinds import GIVING, kind_named
from acmx.storage.partnership.terms import Terms
from acmx.storage.policies import PolicyText
from acmx.trust.roles import ROLES, Caller, Permission

_ASKING = {
    "role:submit": "a role of the asker permits asking",
    "own-users": "every user belongs to a realm of this system",
}
_GIVING = {"role:give": "a role of the asker permits giving the server identities"}
_OF_TERMS = {
    "partner-kinds": "the terms for the partner name this kind",
    "partner-askers": "the terms for the partner name the asker",
}
_DISCLOSING = {"policy": "no rule of the policy withholds what is disclosed"}
IN_WORDS: Mapping[str, str] = _ASKING | _GIVING | _OF_TERMS | _DISCLOSING
"""Every check."""


class Refused(Struct, frozen=True):
    """Step 2 said no: by which rule, and why."""

    rule: str
    detail: str


def checks(kind: str) -> tuple[str, ...]:
    """Those that are made, in their order."""
    who = _GIVING if kind in GIVING else _ASKING
    return (*who, *_OF_TERMS, *(_DISCLOSING if kind_named(kind).DISCLOSES else ()))


def refusal(house: House, caller: Caller, request: Request, agreed: Terms) -> Refused | None:
    """By the roles of the caller, by whom the users belong to, by the terms for the partner."""
    permission: Permission = "give" if request.kind in GIVING else "submit"
    if not caller.may(permission):
        return Refused(f"role:{permission}", f"no role of {caller.account} permits {permission}")
    if foreign := house.realms.foreign(request.users):
        some = ", ".join(foreign[:3]) + (" ..." if len(foreign) > 3 else "")
        return Refused("own-users", f"{len(foreign)} of the users do not belong to {house.system}: {some}")
    if not agreed.exchanges(request.kind):
        return Refused("partner-kinds", f"{request.kind} is not exchanged with {request.receiver}")
    if not _may_ask(caller, agreed):
        return Refused("partner-askers", f"{caller.mc_service_id} may not ask {request.receiver}")
    return None


def withheld(held: PolicyText, request: Request, now: datetime) -> Refused | None:
    """By a rule of the policy that withholds, or that fails; a policy that cannot be read any more gives nothing."""
    try:
        rules = read_policy.stored(held.text).withheld_by(
            partner=request.receiver, kind=request.kind, facts=facts_of(request, now)
        )
    except FaultyInput as fault:
        return Refused("policy", f"version {held.version} cannot be read: {fault.detail}"[:500])
    if rules:
        return Refused("policy", f"withheld by version {held.version}: {', '.join(rules)}")
    return None


def _may_ask(caller: Caller, agreed: Terms) -> bool:
    askers = agreed.askers.split()
    if not askers or set(askers) & set(caller.roles):
        return True
    who = mc_service_id(caller.mc_service_id).key
    return any(mc_service_id(asker).key == who for asker in askers if asker not in ROLES)
