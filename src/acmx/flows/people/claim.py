"""One MC service ID belongs to one account, local or of an OpenID provider, compared in its canonical form.

Why, and what becomes of those that several accounts had before: docs/decisions/0021-one-person-one-account.md.
"""

from msgspec.structs import replace

from acmx.domain.errors import IdentityTaken, NotAllowed
from acmx.domain.moments import to_ms
from acmx.domain.telling import SHARED
from acmx.flows.exchange.approvals import person_of
from acmx.flows.house import House
from acmx.storage import accounts, claims, journal, notices
from acmx.storage.accounts import Account
from acmx.storage.claims import Claim
from acmx.storage.engine import Tx
from acmx.trust.roles import IDENTITY_RULE, Caller

CHOOSE = "several accounts have it: acmx account choose"


def require_free(tx: Tx, account: Account) -> None:
    """Raises IdentityTaken where another account has its MC service ID, or one of several has to be chosen."""
    held = claims.find(tx, person_of(account.mc_service_id))
    if held is not None and not held.is_of(account.name, ""):
        raise IdentityTaken(f"{account.mc_service_id}: {_in_words(held)}")


def take(tx: Tx, account: Account, at: int) -> None:
    """For a local account, from `at` (milliseconds) on. Raises IdentityTaken."""
    person = person_of(account.mc_service_id)
    if not claims.take(tx, Claim(person, account.mc_service_id, account.name, "", "", at)):
        require_free(tx, account)


def release(tx: Tx, account: Account) -> None:
    """A local account needs it no more. One of which an account has to be chosen stays so."""
    person = person_of(account.mc_service_id)
    held = claims.find(tx, person)
    if held is not None and held.is_of(account.name, ""):
        claims.drop(tx, person)


def is_of(tx: Tx, mc_service_id: str, account: str, issuer: str = "") -> bool:
    """Whether this account, and no other, stands for this MC service ID."""
    held = claims.find(tx, person_of(mc_service_id))
    return held is not None and held.is_of(account, issuer)


def take_by_token(tx: Tx, caller: Caller, at: int) -> None:
    """For who logs on with an OpenID provider: the first subject that comes with it has it.

    Raises NotAllowed where a local account or another subject has it.
    """
    roles = "" if caller.automatic else ",".join(caller.roles)
    person = person_of(caller.mc_service_id)
    new = Claim(person, caller.mc_service_id, caller.account, caller.issuer, roles, at)
    if claims.take(tx, new):
        journal.write(
            tx,
            at,
            "mc-service-id-claimed",
            caller.mc_service_id,
            account=caller.account,
            issuer=caller.issuer,
        )
        return
    held = claims.find(tx, person)
    if held is None or not held.is_of(caller.account, caller.issuer):
        raise NotAllowed(
            f"{caller.mc_service_id} is not of {caller.account}: {_in_words(held)}", rule=IDENTITY_RULE
        )
    if held.roles != roles:
        claims.replace(tx, replace(held, roles=roles))


def settle(house: House, tx: Tx, issuer: str) -> None:
    """As a server starts whose OpenID provider is `issuer`, or none: what another one vouched for is free.

    What was before there were claims: who alone has an MC service ID keeps it; of several none is picked.
    """
    at = to_ms(house.clock())
    for former in claims.issuers(tx) if issuer else ():
        if former != issuer:
            count = claims.drop_issuer(tx, former)
            journal.write(tx, at, "mc-service-id-freed", "operator", issuer=former, count=count)
    known = {claim.person for claim in claims.every(tx)}
    for person, same in _by_person(tx).items():
        if person not in known:
            only = same[0].name if len(same) == 1 else None
            claims.take(tx, Claim(person, same[0].mc_service_id, only, "", "", at))
            if only is None:
                _tell(house, tx, person, same, at)


def shared(tx: Tx) -> dict[str, list[Account]]:
    """`doubled`, looked for only where there is something to choose: on a database that a server has settled."""
    return doubled(tx) if claims.is_any_open(tx) else {}


def doubled(tx: Tx) -> dict[str, list[Account]]:
    """By person: the enabled accounts of each MC service ID of which one has to be chosen."""
    held = {claim.person: claim.account for claim in claims.every(tx)}
    return {
        person: same
        for person, same in _by_person(tx).items()
        if held.get(person) is None and (person in held or len(same) > 1)
    }


def _by_person(tx: Tx) -> dict[str, list[Account]]:
    found: dict[str, list[Account]] = {}
    for account in accounts.enabled(tx):
        found.setdefault(person_of(account.mc_service_id), []).append(account)
    return found


def _tell(house: House, tx: Tx, person: str, same: list[Account], at: int) -> None:
    names = [account.name for account in same]
    journal.write(tx, at, "mc-service-id-shared", "acmx", mc_service_id=person, accounts=names)
    notices.put_for_operators(tx, at, house.system, f"{person}: {', '.join(names)}", SHARED, 0)


def _in_words(held: Claim | None) -> str:
    if held is None or held.account is None:
        return CHOOSE
    return f"it belongs to {held.account}{f' of {held.issuer}' if held.issuer else ''}"
