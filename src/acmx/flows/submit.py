"""Steps 1 to 3: an authorised user asks for the partner's configuration; it is checked, stored, and queued or held."""

from datetime import datetime
from itertools import takewhile

import msgspec
from msgspec import Struct

from acmx.domain.acm1 import Accepted, Submission
from acmx.domain.documents import encode
from acmx.domain.errors import Fault, FaultyInput, KeyReused, NotAllowed, NotEstablished, UnsupportedKind
from acmx.domain.exchange import Event, State
from acmx.domain.identities import mc_service_id
from acmx.domain.messages import VERSION, Person, Request
from acmx.domain.moments import to_ms, whole
from acmx.flows import outgoing, remind, request_rules
from acmx.flows.carry_out import StaleError
from acmx.flows.change import begin
from acmx.flows.house import House
from acmx.kinds import kind_named
from acmx.storage import idempotency, partners, terms, thresholds
from acmx.storage.engine import Tx
from acmx.storage.exchanges import Exchange
from acmx.storage.idempotency import Used
from acmx.storage.messages import Stored
from acmx.storage.terms import Terms
from acmx.storage.thresholds import Threshold
from acmx.trust.pinned import pinned
from acmx.trust.roles import ROLES, Caller
from acmx.trust.signatures import body_digest

STEP_2 = {
    "role:submit": "a role of the asker permits asking",
    "own-users": "every user belongs to a realm of this system",
    "partner-kinds": "the terms for the partner name this kind",
    "partner-askers": "the terms for the partner name the asker",
}
"""The checks of step 2, in the order in which they are made."""


class Refused(Struct, frozen=True):
    """Step 2 said no: by which rule, and why."""

    rule: str
    detail: str


class Plan(Struct, frozen=True):
    """A new exchange, its request, and the Idempotency-Key that will name it."""

    used: Used
    exchange: Exchange
    request: Stored
    refused: Refused | None
    release: Threshold


def prepare(house: House, tx: Tx, caller: Caller, key: str, submission: Submission) -> Plan | Used:
    """The plan, or what the same Idempotency-Key made before.

    Raises FaultyInput, UnsupportedKind, NotEstablished, KeyReused: nothing is stored.
    """
    digest = body_digest(encode(submission))
    if used := idempotency.find(tx, caller.account, key):
        if used.digest != digest:
            raise KeyReused
        return used
    now = whole(house.clock())
    request = _request(house, caller, submission, now)
    _check(house, submission, request, now)
    _check_partner(tx, submission)
    refused = _authorise(house, caller, submission, terms.find(tx, submission.partner))
    exchange = exchange_of(request, due_at=None if refused else to_ms(request.expires_at))
    release = thresholds.find(tx, submission.partner, submission.kind, "release")
    if release.approvals and not refused:
        exchange = msgspec.structs.replace(exchange, state=State.AWAITING_RELEASE)
        moment = remind.next_moment(house, exchange, exchange.created_at)
        exchange = msgspec.structs.replace(exchange, remind_at=moment)
    problem = encode(refused) if refused else None
    state = State.AWAITING_RELEASE if release.approvals else State.QUEUED
    return Plan(
        used=Used(caller.account, key, digest, request.exchange, problem, state),
        exchange=exchange,
        request=outgoing.minted(request, house.system),
        refused=refused,
        release=release,
    )


def apply(tx: Tx, plan: Plan | Used) -> Used:
    """Raises StaleError where the key was used, or the threshold of releases changed, meanwhile."""
    if isinstance(plan, Used):
        return plan
    if not idempotency.insert(tx, plan.used):
        raise StaleError
    at = plan.exchange.created_at
    if refused := plan.refused:
        passed = list(takewhile(lambda rule: rule != refused.rule, STEP_2))
        detail = {"rule": refused.rule, "refusal": refused.detail, "passed": passed}
        begin(tx, plan.exchange, Event.NOT_AUTHORISED, plan.exchange.asker, at, **detail)
        outgoing.keep(tx, plan.request)
        return plan.used
    if thresholds.find(tx, plan.exchange.partner, plan.exchange.kind, "release") != plan.release:
        raise StaleError
    digest, passed = plan.request.digest, list(STEP_2)
    if plan.release.approvals:
        begin(tx, plan.exchange, Event.HELD, plan.exchange.asker, at, digest=digest, passed=passed)
        outgoing.keep(tx, plan.request)
        return plan.used
    begin(tx, plan.exchange, Event.SUBMITTED, plan.exchange.asker, at, digest=digest, passed=passed)
    outgoing.send(tx, plan.request, plan.exchange.partner, plan.exchange.expires_at)
    return plan.used


def answer(used: Used) -> Accepted:
    """What the client is told. Raises NotAllowed with the rule and the exchange's id, again for the same key."""
    if used.refusal:
        refused = msgspec.json.decode(used.refusal, type=Refused)
        raise NotAllowed(refused.detail, rule=refused.rule, exchange=used.id)
    return Accepted(used.id, used.state)


def _request(house: House, caller: Caller, submission: Submission, now: datetime) -> Request:
    alias = next(iter(caller.functional_aliases), None)
    return Request(
        version=VERSION,
        exchange=house.mint(),
        n=1,
        sender=house.system,
        receiver=submission.partner,
        created_at=now,
        kind=submission.kind,
        asker=Person(caller.mc_service_id, alias),
        addressee=submission.addressee,
        expires_at=whole(submission.expires_at) if submission.expires_at else now + house.expiry,
        urgency=submission.urgency,
        users=submission.users,
        purpose=submission.purpose,
        reference=submission.reference,
        valid_from=submission.valid_from,
        valid_until=submission.valid_until,
        content=submission.content,
    )


def _check(house: House, submission: Submission, request: Request, now: datetime) -> None:
    faults = request_rules.faults(request)
    if request.expires_at <= now:
        faults.append(Fault("expires_at", request.expires_at.isoformat(), "must be in the future"))
    if request.expires_at > now + house.longest_expiry:
        rule = f"must be at most {house.longest_expiry.days} days ahead"
        faults.append(Fault("expires_at", request.expires_at.isoformat(), rule))
    if faults:
        raise FaultyInput(faults)
    kind_named(submission.kind).validate_request(submission.content, FaultyInput)


def _check_partner(tx: Tx, submission: Submission) -> None:
    partner = partners.find(tx, submission.partner)
    if partner is None:
        raise FaultyInput([Fault("partner", submission.partner, "is not a known partner MC system")])
    if not partner.established:
        raise NotEstablished(f"{partner.id}: {partner.state_here} here, {partner.state_there} there")
    supported = {supported.kind for supported in pinned(partner.metadata).metadata.kinds}
    if submission.kind not in supported:
        raise UnsupportedKind(f"{partner.id} does not exchange {submission.kind!r}")


def _authorise(house: House, caller: Caller, submission: Submission, agreed: Terms) -> Refused | None:
    if not caller.may("submit"):
        return Refused("role:submit", f"no role of {caller.account} permits submit")
    if foreign := house.realms.foreign(submission.users):
        some = ", ".join(foreign[:3]) + (" ..." if len(foreign) > 3 else "")
        return Refused("own-users", f"{len(foreign)} of the users do not belong to {house.system}: {some}")
    if not agreed.exchanges(submission.kind):
        return Refused("partner-kinds", f"{submission.kind} is not asked of {submission.partner}")
    if not _may_ask(caller, agreed):
        return Refused("partner-askers", f"{caller.mc_service_id} may not ask {submission.partner}")
    return None


def _may_ask(caller: Caller, agreed: Terms) -> bool:
    askers = agreed.askers.split()
    if not askers or set(askers) & set(caller.roles):
        return True
    who = mc_service_id(caller.mc_service_id).key
    return any(mc_service_id(asker).key == who for asker in askers if asker not in ROLES)


def exchange_of(request: Request, due_at: int | None) -> Exchange:
    """The exchange that a request of ours begins."""
    return Exchange(
        serial=None,
        role="primary",
        primary_system=request.sender,
        id=request.exchange,
        partner=request.receiver,
        state=State.QUEUED,
        version=0,
        kind=request.kind,
        asker=request.asker.mc_service_id,
        addressee=request_rules.addressee_of(request),
        urgency=request.urgency,
        purpose=request.purpose,
        reference=request.reference,
        user_count=len(request.users),
        sent_n=1,
        received_n=0,
        created_at=to_ms(request.created_at),
        expires_at=to_ms(request.expires_at),
        due_at=due_at,
        valid_from=to_ms(request.valid_from) if request.valid_from else None,
        valid_until=to_ms(request.valid_until) if request.valid_until else None,
    )
