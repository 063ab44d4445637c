"""Steps 1 to 3: an authorised user asks for the partner's configuration, or gives the own one unasked.

It is checked, stored, and queued or held.
"""

from datetime import datetime
from itertools import takewhile

import msgspec
from msgspec import Struct

from acmx.domain.acm1 import Accepted, Submission
from acmx.domain.documents import encode
from acmx.domain.errors import FaultyInput, KeyReused, NotAllowed, NotEstablished, UnsupportedKind
from acmx.domain.exchange import Event, State
from acmx.domain.faults import Fault
from acmx.domain.messages import VERSION, Person, Request
from acmx.domain.moments import to_ms, whole
from acmx.flows.carry_out import StaleError
from acmx.flows.exchange import authorise, outgoing, remind, request_rules
from acmx.flows.exchange.authorise import Refused
from acmx.flows.exchange.change import begin
from acmx.flows.exchange.held import current_catalogue
from acmx.flows.house import House
from acmx.kinds import GIVING, kind_named
from acmx.storage import holdings, policies
from acmx.storage.engine import Tx
from acmx.storage.exchange import idempotency
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.idempotency import Used
from acmx.storage.exchange.messages import Stored
from acmx.storage.partnership import partners, terms, thresholds
from acmx.storage.partnership.thresholds import Threshold
from acmx.trust.pinned import pinned
from acmx.trust.roles import Caller
from acmx.trust.signatures import body_digest


class Plan(Struct, frozen=True):
    """A new exchange, its request, and the Idempotency-Key that will name it.

    `policy`: the version that was asked whether to withhold it; None where nothing is disclosed.
    """

    used: Used
    exchange: Exchange
    request: Stored
    refused: Refused | None
    release: Threshold
    policy: int | None


def prepare(house: House, tx: Tx, caller: Caller, key: str, submission: Submission) -> Plan | Used:
    """The plan, or what the same Idempotency-Key made before.

    Raises FaultyInput, UnsupportedKind, NotEstablished, KeyReused, Incomplete: nothing is stored.
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
    refused = authorise.refusal(house, caller, request, terms.find(tx, submission.partner))
    policy = None
    if not refused:
        kind = kind_named(request.kind)
        held = current_catalogue(tx) if request.kind in GIVING else None
        content = kind.content_of_request(request.content, held)
        request = msgspec.structs.replace(request, content=content)
        if kind.DISCLOSES:
            asked = policies.current(tx)
            policy, refused = asked.version, authorise.withheld(asked, request, now)
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
        policy=policy,
    )


def apply(tx: Tx, plan: Plan | Used) -> Used:
    """Raises StaleError where meanwhile the key was used, or changed what was looked at."""
    if isinstance(plan, Used):
        return plan
    if plan.policy is not None and _has_changed(tx, plan):
        raise StaleError
    if not idempotency.insert(tx, plan.used):
        raise StaleError
    at, checks = plan.exchange.created_at, authorise.checks(plan.exchange.kind or "")
    if refused := plan.refused:
        passed = list(takewhile(lambda rule: rule != refused.rule, checks))
        detail = {"rule": refused.rule, "refusal": refused.detail, "passed": passed}
        begin(tx, plan.exchange, Event.NOT_AUTHORISED, plan.exchange.asker, at, **detail)
        outgoing.keep(tx, plan.request)
        return plan.used
    if thresholds.find(tx, plan.exchange.partner, plan.exchange.kind, "release") != plan.release:
        raise StaleError
    digest, passed = plan.request.digest, list(checks)
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


def _has_changed(tx: Tx, plan: Plan) -> bool:
    """The policy that let it be disclosed, or the server identities that are given."""
    version = holdings.current_version(tx) if plan.exchange.catalogue is not None else None
    return (plan.policy, plan.exchange.catalogue) != (policies.current_version(tx), version)


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
    kind_named(submission.kind).validate_submission(submission.content)


def _check_partner(tx: Tx, submission: Submission) -> None:
    partner = partners.find(tx, submission.partner)
    if partner is None:
        raise FaultyInput([Fault("partner", submission.partner, "is not a known partner MC system")])
    if not partner.established:
        raise NotEstablished(f"{partner.id}: {partner.state_here} here, {partner.state_there} there")
    supported = {supported.kind for supported in pinned(partner.metadata).metadata.kinds}
    if submission.kind not in supported:
        raise UnsupportedKind(f"{partner.id} does not exchange {submission.kind!r}")


def exchange_of(request: Request, due_at: int | None) -> Exchange:
    """The exchange that a request of ours begins."""
    given = kind_named(request.kind).given(request, {})
    begun = Exchange.begun(request, "primary", at=to_ms(request.created_at), due_at=due_at)
    return msgspec.structs.replace(begun, catalogue=given.catalogue if given else None)
