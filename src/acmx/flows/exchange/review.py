"""Steps 11 to 13 at B: a person reviews every user of the request; the review that decides queues the response.

At A the same act releases or refuses a request that waits for it (`release`).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from acmx.domain.acm1 import Review, Reviewed
from acmx.domain.errors import FaultyInput, NotFound, NotNow
from acmx.domain.exchange import UNDECIDED, Event
from acmx.domain.faults import Fault
from acmx.domain.messages import Agent, Handler, Request, Verdict
from acmx.domain.moments import to_ms, whole
from acmx.flows.carry_out import StaleError
from acmx.flows.exchange import approvals, decide, release, response
from acmx.flows.exchange.approvals import Judgement, Versions
from acmx.flows.exchange.change import note
from acmx.flows.exchange.decide import Decision
from acmx.flows.exchange.find import addressed_as, find
from acmx.flows.exchange.held import current_catalogue, version_to_give
from acmx.flows.exchange.response import GRANTED, Decided, decided_over, outcome_of, read_request
from acmx.flows.house import House
from acmx.kinds import kind_named
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges, messages, reviews
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored
from acmx.storage.exchange.reviews import Given
from acmx.storage.partnership import thresholds
from acmx.storage.partnership.thresholds import Threshold
from acmx.trust.roles import Caller


class Plan(Struct, frozen=True):
    """One person's review, on what it was judged, and the decision where it is the last one needed."""

    exchange: Exchange
    caller: Caller
    given: Given
    request: Stored
    versions: Versions
    others: list[Given]
    threshold: Threshold
    judgement: Judgement
    decision: Decision | None


def prepare(house: House, tx: Tx, caller: Caller, name: str, review: Review) -> Plan | release.Plan:
    """Raises NotAllowed, NotFound, NotNow, FaultyInput, Incomplete."""
    caller.must("review")
    exchange = find(tx, caller, name)
    request = messages.at(tx, exchange.primary_system, exchange.id, exchange.primary_system, 1)
    if request is None or request.type != "request":
        raise NotNow("there is no request to review", state=exchange.state)
    asked, now = read_request(request), whole(house.clock())
    verdicts = _verdicts(asked, review)
    given = approvals.given(caller, exchange, review, verdicts, to_ms(now))
    if exchange.role == "primary":
        return release.prepare(caller, given, request)
    content: dict[str, Any] = {}
    if given.approved:
        content = kind_named(asked.kind).disclosed(asked, current_catalogue(tx))
    versions = (exchange.version, version_to_give(tx, exchange))
    others = approvals.others(tx, given)
    threshold = thresholds.find(tx, exchange.partner, exchange.kind, "review")
    judgement = approvals.judge(others, given, threshold.approvals, versions)
    plan = Plan(exchange, caller, given, request, versions, others, threshold, judgement, None)
    if not judgement.decides:
        return plan
    return msgspec.structs.replace(plan, decision=_decision(house, plan, asked, content, now))


def apply(tx: Tx, plan: Plan | release.Plan) -> Reviewed:
    """Raises OutcomeStands, NotNow (it has expired), ReviewStands, VersionsDiffer, NotAllowed, StaleError."""
    if isinstance(plan, release.Plan):
        return release.apply(tx, plan)
    given, judgement = plan.given, plan.judgement
    exchange = exchanges.find(tx, given.primary_system, given.id)
    if exchange is None:
        raise NotFound
    stored = reviews.of_exchange(tx, given.primary_system, given.id)
    if exchange.state not in UNDECIDED:
        if approvals.is_among(stored, given):
            return _standing(exchange, stored)
        raise approvals.outcome_stands(exchange)
    if exchange.expires_at is not None and exchange.expires_at <= given.at:
        raise NotNow("the request has expired", state=exchange.state)
    approvals.require_exchanged(tx, exchange, given)
    versions = (exchange.version, version_to_give(tx, exchange))
    said = approvals.said_before(stored, given, versions)
    if said == "for earlier versions" or (said and not plan.decision):
        return judgement.so_far(exchange)
    threshold = thresholds.find(tx, exchange.partner, exchange.kind, "review")
    if (versions, threshold, approvals.others(tx, given)) != (plan.versions, plan.threshold, plan.others):
        raise StaleError
    if not said:
        approvals.permit(plan.caller, exchange, threshold)
        reviews.put(tx, given)
    if plan.decision is None:
        note(
            tx,
            exchange,
            Event.REVIEW_STORED,
            plan.caller.mc_service_id,
            given.at,
            approvals=judgement.approvals,
            needed=judgement.needed,
        )
        return judgement.so_far(exchange)
    decided = decide.apply(tx, exchange, plan.decision)
    return _standing(decided, [*plan.others, given])


def _decision(house: House, plan: Plan, request: Request, content: dict[str, Any], now: datetime) -> Decision:
    """The handler is the person whose review decides; who reviewed before is in the journal."""
    caller, exchange, reason = plan.caller, plan.exchange, plan.given.reason
    verdicts = plan.judgement.verdicts(decided_over(request), reason)
    if not request.users:
        verdicts = tuple(msgspec.structs.replace(verdict, users=()) for verdict in verdicts)
    outcome = outcome_of(verdicts)
    granted = outcome in GRANTED
    alias = addressed_as(caller, exchange)
    decided = Decided(
        outcome=outcome,
        verdicts=verdicts,
        handler=(Agent if caller.automatic else Handler)(caller.mc_service_id, alias),
        reason=reason,
        content=content if granted else {},
        catalogue=plan.versions[1] if granted and plan.versions[1] else None,
    )
    minted = response.minted(house, exchange, plan.request, decided, now)
    return Decision(
        Event.REVIEWED, caller.mc_service_id, decided, minted, tuple(other.person for other in plan.others)
    )


def _standing(exchange: Exchange, stored: Sequence[Given]) -> Reviewed:
    """The outcome, whoever completed it."""
    declined = len({user for review in stored for user in review.declines})
    if exchange.outcome not in GRANTED:
        declined = exchange.user_count
    return Reviewed(
        exchange.id, exchange.state, exchange.outcome or "undecided", exchange.user_count - declined, declined
    )


def _verdicts(request: Request, review: Review) -> tuple[Verdict, ...]:
    if len(review.verdicts) > 2:
        raise FaultyInput([Fault("verdicts", str(len(review.verdicts)), "must be one, or one of each")])
    asked = set(request.users)
    named = [user for verdict in review.verdicts for user in verdict.users or ()]
    faults = [Fault("verdicts", user, "is not in the request") for user in named if user not in asked]
    once = set(named)
    if len(once) != len(named):
        faults.append(Fault("verdicts", "", "must name each user once"))
    if sum(verdict.users is None for verdict in review.verdicts) > 1:
        faults.append(Fault("verdicts", "", "only one verdict may stand for all the rest"))
    rest = tuple(user for user in decided_over(request) if user not in once)
    if rest and all(verdict.users is not None for verdict in review.verdicts):
        faults.append(Fault("verdicts", rest[0], "and others are neither approved nor declined"))
    if not review.reason.isprintable():
        faults.append(Fault("reason", review.reason, "must not contain control characters"))
    if review.note is not None and not review.note.isprintable():
        faults.append(Fault("note", review.note, "must not contain control characters"))
    if faults:
        raise FaultyInput(faults)
    given = (
        Verdict(verdict.approved, rest if verdict.users is None else verdict.users, review.reason)
        for verdict in review.verdicts
    )
    return tuple(verdict for verdict in given if verdict.users)
