"""Steps 4 to 6 at B: the request is stored; where policy decides at once, the response is queued with it."""

from datetime import datetime

import msgspec
from msgspec import Struct

from acmx.domain.acm1 import Consultation
from acmx.domain.errors import (
    ForeignUser,
    Incomplete,
    InvalidMessage,
    TooManyUsers,
    UnsupportedKind,
    Withdrawn,
)
from acmx.domain.exchange import Event, State
from acmx.domain.messages import Automatic, Request, Verdict
from acmx.domain.moments import to_ms, whole
from acmx.flows.acm2 import limits, replies
from acmx.flows.acm2.arrivals import Arrived
from acmx.flows.carry_out import StaleError
from acmx.flows.exchange import decide, outgoing, remind, request_rules, response
from acmx.flows.exchange.change import begin
from acmx.flows.exchange.decide import Decision
from acmx.flows.exchange.held import current_catalogue
from acmx.flows.exchange.response import Decided
from acmx.flows.house import House
from acmx.flows.operations import suspend_expiry
from acmx.flows.policy import consult
from acmx.kinds import kind_named
from acmx.storage import policies
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored
from acmx.storage.partnership import partners, terms, thresholds
from acmx.storage.partnership.terms import Terms
from acmx.trust.pinned import pinned


class Plan(Struct, frozen=True):
    """The new exchange, its request, the stored indication, and the decision if one falls at once.

    `limits`: the terms that it counts against; None where the partner gives back what had been taken before.
    """

    exchange: Exchange
    request: Stored
    receipt: bytes
    decision: Decision | None
    consultation: Consultation | None
    limits: Terms | None


def prepare(house: House, tx: Tx, arrived: Arrived, request: Request) -> Plan:
    """Raises InvalidMessage, UnsupportedKind, ForeignUser, TooManyUsers, Withdrawn: final refusals."""
    known = exchanges.find(tx, arrived.primary, arrived.id)
    if known is not None and known.state is State.WITHDRAWN:
        raise Withdrawn
    agreed = terms.find(tx, arrived.peer)
    _check(tx, arrived, request, agreed)
    plan, now = taken_before(house, arrived, request), whole(house.clock())
    if request.expires_at <= now:
        consultation, decided = None, None if suspend_expiry.doubted(house, tx) else response.expired(request)
    else:
        consultation, decided = _by_policy(tx, request, now)
    decision = None if decided is None else _decision(house, plan.exchange, plan.request, decided, now)
    return msgspec.structs.replace(plan, decision=decision, consultation=consultation, limits=agreed)


def taken_before(house: House, arrived: Arrived, request: Request) -> Plan:
    """A request that this system is known to have taken: it is not judged again, and not decided at once."""
    now = whole(house.clock())
    due = min(request.expires_at, now + house.longest_expiry)
    exchange = Exchange.begun(request, "partner", at=to_ms(now), due_at=to_ms(due))
    first = remind.next_moment(house, exchange, to_ms(now))
    exchange = msgspec.structs.replace(exchange, remind_at=first)
    receipt = replies.receipt(house, arrived, "stored", now)
    kept = replies.taken(arrived, "request", receipt, to_ms(now))
    return Plan(exchange, kept, receipt, None, None, None)


def apply(tx: Tx, plan: Plan) -> bytes:
    """The receipt: the stored indication.

    Raises StaleError where the exchange came to be, or the policy changed, meanwhile; LimitReached: it is sent again.
    """
    if plan.consultation is not None and plan.consultation.version != policies.current_version(tx):
        raise StaleError
    if plan.limits is not None:
        limits.take(tx, plan.limits, plan.request.stored_at, waits=plan.decision is None)
    detail = {"digest": plan.request.digest, consult.MEMBER: msgspec.to_builtins(plan.consultation)}
    exchange = begin(
        tx, plan.exchange, Event.REQUEST, plan.exchange.partner, plan.request.stored_at, **detail
    )
    outgoing.keep(tx, plan.request)
    if plan.decision is not None:
        decide.apply(tx, exchange, plan.decision)
    return plan.receipt


def _check(tx: Tx, arrived: Arrived, request: Request, agreed: Terms) -> None:
    kind = kind_named(request.kind)
    if arrived.n != 1:
        raise InvalidMessage(detail="a request is the first message of its exchange", faults=[])
    if faults := request_rules.faults(request):
        raise InvalidMessage(faults)
    kind.validate_request(request.content, InvalidMessage)
    partner = partners.find(tx, arrived.peer)
    if partner is None or not agreed.exchanges(request.kind):
        raise UnsupportedKind
    if len(request.users) > agreed.max_users:
        raise TooManyUsers(f"{agreed.max_users} at most")
    if foreign := pinned(partner.metadata).metadata.realms.foreign(request.users):
        raise ForeignUser(
            f"{len(foreign)} of the users do not belong to {arrived.peer}: {', '.join(foreign[:3])}"
        )


def _by_policy(tx: Tx, request: Request, now: datetime) -> tuple[Consultation, Decided | None]:
    asked = consult.ask(tx, request, now)
    if asked.decision == "person":
        return asked, None
    if asked.decision == "approve" and _several(tx, request):
        return msgspec.structs.replace(asked, decision="person", why="several-approvals"), None
    rule = ", ".join(asked.rules)
    if asked.decision == "decline":
        verdicts = (Verdict(approved=False, users=request.users),)
        return asked, Decided("declined", verdicts, Automatic(), "declined by policy", rule=rule)
    held = current_catalogue(tx)
    try:
        content = kind_named(request.kind).disclosed(request, held)
    except Incomplete:
        return msgspec.structs.replace(asked, decision="person", why="nothing-to-disclose"), None
    verdicts = (Verdict(approved=True, users=request.users),)
    version = held.version if held else None
    return asked, Decided("approved", verdicts, Automatic(), None, content, rule, version)


def _several(tx: Tx, request: Request) -> bool:
    """Where several people must approve, no rule does; one that declines is enough."""
    return thresholds.find(tx, request.sender, request.kind, "review").approvals > 1


def _decision(house: House, exchange: Exchange, request: Stored, decided: Decided, now: datetime) -> Decision:
    late = decided.outcome == "expired"
    return Decision(
        event=Event.EXPIRED if late else Event.DECIDED_BY_RULE,
        actor="clock" if late else "policy",
        decided=decided,
        response=response.minted(house, exchange, request, decided, now),
    )
