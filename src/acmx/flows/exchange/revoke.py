"""At B: a person takes back what was approved, for some users or all; one is enough, however many had to approve."""

from collections import Counter
from typing import Any

from msgspec import Struct

from acmx.domain.acm1 import RevocationInput, Revoked
from acmx.domain.errors import FaultyInput, NotNow
from acmx.domain.exchange import Event
from acmx.domain.faults import Fault
from acmx.domain.messages import Agent, Handler, Revocation
from acmx.domain.moments import whole
from acmx.flows.exchange import outgoing
from acmx.flows.exchange.change import move
from acmx.flows.exchange.find import addressed_as, find
from acmx.flows.exchange.grant import Standing, standing
from acmx.flows.house import House
from acmx.kinds import GIVING
from acmx.storage.engine import Tx
from acmx.storage.exchange import messages
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored
from acmx.trust.roles import Caller


class Plan(Struct, frozen=True):
    """The exchange as it was read, and the revocation; None where the same person has just made it."""

    exchange: Exchange
    actor: str
    users: int
    left: int
    revocation: Stored | None


def prepare(house: House, tx: Tx, caller: Caller, name: str, given: RevocationInput) -> Plan:
    """Raises NotAllowed, NotFound, NotNow where nothing is granted any more, FaultyInput."""
    caller.must("review")
    exchange = find(tx, caller, name)
    stands = standing(messages.of_exchange(tx, exchange.primary_system, exchange.id))
    if (
        exchange.role != "partner"
        or exchange.kind in GIVING
        or stands is None
        or exchange.grant_state is None
    ):
        raise NotNow("nothing was approved here that could be taken back", state=exchange.state)
    if _said_last(caller, stands, given):
        last = stands.revocations[-1]
        return Plan(exchange, caller.mc_service_id, len(last.users), len(stands.users), None)
    if exchange.grant_state != "live":
        raise NotNow(f"the approval is {exchange.grant_state}", state=exchange.state)
    users = tuple(stands.users) if given.users is None else given.users
    if faults := _faults(stands, users, given.reason):
        raise FaultyInput(faults)
    alias = addressed_as(caller, exchange)
    revocation = Revocation(
        **outgoing.heading(house, exchange, whole(house.clock())),
        handler=(Agent if caller.automatic else Handler)(caller.mc_service_id, alias),
        users=users,
        reason=given.reason,
    )
    minted = outgoing.minted(revocation, exchange.primary_system)
    return Plan(exchange, caller.mc_service_id, len(users), len(stands.users) - len(users), minted)


def apply(tx: Tx, plan: Plan) -> Revoked:
    """Raises StaleError where the exchange has changed since it was read."""
    exchange, revocation = plan.exchange, plan.revocation
    if revocation is not None:
        detail: dict[str, object] = {"digest": revocation.digest, "users": plan.users, "left": plan.left}
        at, fields = revocation.stored_at, {"sent_n": revocation.n} | ended(plan.left)
        exchange = move(tx, exchange, Event.REVOKED, plan.actor, at, detail=detail, **fields)
        outgoing.send(tx, revocation, exchange.partner, exchange.expires_at)
    return Revoked(exchange.id, exchange.grant_state or "", plan.users, plan.left)


def ended(left: int) -> dict[str, Any]:
    """The columns of the exchange, at both systems, after a revocation that leaves so many users approved."""
    return {} if left else {"grant_state": "revoked", "due_at": None}


def _said_last(caller: Caller, stands: Standing, given: RevocationInput) -> bool:
    if not stands.revocations:
        return False
    last = stands.revocations[-1]
    if (last.person, last.reason) != (caller.mc_service_id, given.reason):
        return False
    return not stands.users if given.users is None else set(given.users) == set(last.users)


def _faults(stands: Standing, users: tuple[str, ...], reason: str) -> list[Fault]:
    approved = set(stands.users)
    faults = [Fault("users", user, "is not approved") for user in users if user not in approved]
    faults += [Fault("users", user, "must be named once") for user, n in Counter(users).items() if n > 1]
    if not users:
        faults.append(Fault("users", "", "must name somebody"))
    if not reason.isprintable():
        faults.append(Fault("reason", reason, "must not contain control characters"))
    return faults
