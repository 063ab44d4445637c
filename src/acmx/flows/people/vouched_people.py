"""People whom an OpenID provider vouches for: who has come, whose MC service IDs they have, and how one gets free."""

from acmx.domain.acm1 import Freed, VouchedPeople, VouchedPerson
from acmx.domain.documents import encode
from acmx.domain.moments import from_ms
from acmx.flows.house import House
from acmx.flows.people import account_acts
from acmx.flows.people.account_acts import Act
from acmx.flows.people.account_changes import ask, must_wait, require_none_waits
from acmx.storage import account_changes, claims
from acmx.storage.claims import Claim
from acmx.storage.engine import Tx
from acmx.trust.roles import Caller


def page(tx: Tx, *, after: str, limit: int) -> VouchedPeople:
    found = claims.vouched(tx, after=after, limit=limit + 1)
    following = found[limit - 1].person if len(found) > limit else None
    return VouchedPeople([_shown(tx, held) for held in found[:limit]], following)


def free(house: House, tx: Tx, caller: Caller, given: Freed) -> VouchedPerson:
    """Whose it was; where two operators are needed, it is until another one approves.

    Raises InvalidIdentity, NotFound, ChangeWaits, NotAllowed.
    """
    held = account_acts.require_vouched(tx, given.mc_service_id)
    require_none_waits(tx, held.person)
    if must_wait(tx):
        ask(house, tx, caller, held.person, "free", encode(given))
        return _shown(tx, held)
    return _shown(tx, account_acts.free(Act(house, tx, caller.mc_service_id), given.mc_service_id))


def _shown(tx: Tx, held: Claim) -> VouchedPerson:
    waiting = account_changes.of_account(tx, held.person)
    return VouchedPerson(
        mc_service_id=held.mc_service_id,
        account=held.account or "",
        issuer=held.issuer,
        roles=[role for role in held.roles.split(",") if role],
        since=from_ms(held.since),
        waiting=waiting.id if waiting else None,
    )
