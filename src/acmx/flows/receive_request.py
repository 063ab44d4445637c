"""Steps 4 to 6 at B: the request is stored; where policy decides at once, the response is queued with it."""

from datetime import datetime

import msgspec
from msgspec import Struct

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
from acmx.flows import decide, limits, outgoing, remind, replies, request_rules, response
from acmx.flows.arrivals import Arrived
from acmx.flows.change import begin
from acmx.flows.decide import Decision
from acmx.flows.facts import facts_of
from acmx.flows.held import current_catalogue
from acmx.flows.house import House
from acmx.flows.response import Decided
from acmx.kinds import kind_named
from acmx.storage import clock_holds, exchanges, partners, policies, terms
from acmx.storage.engine import Tx
from acmx.storage.exchanges import Exchange
from acmx.storage.messages import Stored
from acmx.storage.terms import Terms
from acmx.trust import policy
from acmx.trust.pinned import pinned


class Plan(Struct, frozen=True):
    """The new exchange, its request, the stored indication, and the decision if one falls at once.

    `limits`: the terms that it counts against; None where the partner gives back what had been taken before.
    """

    exchange: Exchange
    request: Stored
    receipt: bytes
    decision: Decision | None
    limits: Terms | None


def prepare(house: House, tx: Tx, arrived: Arrived, request: Request) -> Plan:
    """Raises InvalidMessage, UnsupportedKind, ForeignUser, TooManyUsers, Withdrawn: final refusals."""
    known = exchanges.find(tx, arrived.primary, arrived.id)
    if known is not None and known.state is State.WITHDRAWN:
        raise Withdrawn
    agreed = terms.find(tx, arrived.peer)
    _check(tx, arrived, request, agreed)
    now = whole(house.clock())
    exchange = _exchange(arrived, request, now, min(request.expires_at, now + house.longest_expiry))
    first = remind.next_moment(house, exchange, to_ms(now))
    exchange = msgspec.structs.replace(exchange, remind_at=first)
    receipt = replies.receipt(house, arrived, "stored", now)
    kept = replies.taken(arrived, "request", receipt, to_ms(now))
    decided = _at_once(tx, request, now)
    decision = None if decided is None else _decision(house, exchange, kept, decided, now)
    return Plan(exchange, kept, receipt, decision, agreed)


def apply(tx: Tx, plan: Plan) -> bytes:
    """The receipt: the stored indication.

    Raises StaleError where the exchange came to be meanwhile, LimitReached: it is sent again.
    """
    if plan.limits is not None:
        limits.take(tx, plan.limits, plan.request.stored_at, waits=plan.decision is None)
    actor = plan.exchange.partner
    exchange = begin(
        tx, plan.exchange, Event.REQUEST, actor, plan.request.stored_at, digest=plan.request.digest
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


def _at_once(tx: Tx, request: Request, now: datetime) -> Decided | None:
    if request.expires_at <= now:
        return None if clock_holds.find(tx) else response.expired(request)
    rules = policy.parsed(policies.current(tx).text)
    facts = facts_of(request, now) if rules.rules else {}
    ruling = rules.decide(partner=request.sender, kind=request.kind, facts=facts)
    if ruling is None:
        return None
    if ruling.decision == "decline":
        verdicts = (Verdict(approved=False, users=request.users),)
        return Decided("declined", verdicts, Automatic(), "declined by policy", rule=ruling.rule)
    held = current_catalogue(tx)
    try:
        content = kind_named(request.kind).disclosed(request, held)
    except Incomplete:
        return None
    verdicts = (Verdict(approved=True, users=request.users),)
    version = held.version if held else None
    return Decided("approved", verdicts, Automatic(), None, content, ruling.rule, version)


def _decision(house: House, exchange: Exchange, request: Stored, decided: Decided, now: datetime) -> Decision:
    late = decided.outcome == "expired"
    return Decision(
        event=Event.EXPIRED if late else Event.DECIDED_BY_RULE,
        actor="clock" if late else "policy",
        decided=decided,
        response=response.minted(house, exchange, request, decided, now),
    )


def _exchange(arrived: Arrived, request: Request, now: datetime, due: datetime) -> Exchange:
    return Exchange(
        serial=None,
        role="partner",
        primary_system=arrived.primary,
        id=arrived.id,
        partner=arrived.peer,
        state=State.PENDING,
        version=0,
        kind=request.kind,
        asker=request.asker.mc_service_id,
        addressee=request_rules.addressee_of(request),
        urgency=request.urgency,
        purpose=request.purpose,
        reference=request.reference,
        user_count=len(request.users),
        sent_n=0,
        received_n=1,
        created_at=to_ms(now),
        expires_at=to_ms(request.expires_at),
        due_at=to_ms(due),
        valid_from=to_ms(request.valid_from) if request.valid_from else None,
        valid_until=to_ms(request.valid_until) if request.valid_until else None,
    )
