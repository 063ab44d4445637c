"""Step 2 at A, where people have to agree: a request of ours is released, whole, or refused before it leaves."""

from msgspec import Struct

from acmx.domain.acm1 import Reviewed
from acmx.domain.errors import FaultyInput, NotFound, NotNow
from acmx.domain.exchange import Event, State
from acmx.domain.faults import Fault
from acmx.flows.exchange import approvals, outgoing
from acmx.flows.exchange.approvals import Judgement
from acmx.flows.exchange.change import move, note
from acmx.storage import holdings
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges, reviews
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored
from acmx.storage.exchange.reviews import Given
from acmx.storage.partnership import thresholds
from acmx.trust.roles import Caller


class Plan(Struct, frozen=True):
    """What one person says of a request of ours, and the request as it was minted."""

    caller: Caller
    given: Given
    request: Stored


def prepare(caller: Caller, given: Given, request: Stored) -> Plan:
    """Raises FaultyInput where some users are approved and others declined."""
    if given.approved and given.declines:
        raise FaultyInput([Fault("verdicts", "", "must be one: a request is released or refused whole")])
    return Plan(caller, given, request)


def apply(tx: Tx, plan: Plan) -> Reviewed:
    """Raises NotNow, OutcomeStands, ReviewStands, VersionsDiffer, NotAllowed."""
    given = plan.given
    exchange = exchanges.find(tx, given.primary_system, given.id)
    if exchange is None:
        raise NotFound
    stored = reviews.of_exchange(tx, given.primary_system, given.id)
    if exchange.state is not State.AWAITING_RELEASE:
        if approvals.is_among(stored, given):
            return _standing(exchange, stored)
        if stored:
            raise approvals.outcome_stands(exchange)
        raise NotNow("it does not wait to be released", state=exchange.state)
    if exchange.expires_at is not None and exchange.expires_at <= given.at:
        raise NotNow("the request has expired", state=exchange.state)
    approvals.require_exchanged(tx, exchange, given)
    if given.approved and _is_superseded(tx, exchange):
        raise NotNow("it gives server identities that have changed since: withdraw it, and give again")
    versions = (exchange.version, 0)
    threshold = thresholds.find(tx, exchange.partner, exchange.kind, "release")
    judgement = approvals.judge(approvals.others(tx, given), given, threshold.approvals, versions)
    said = approvals.said_before(stored, given, versions)
    if said == "for earlier versions" or (said and not judgement.decides):
        return judgement.so_far(exchange)
    if not said:
        approvals.permit(plan.caller, exchange, threshold)
        reviews.put(tx, given)
    return _carry_out(tx, plan, exchange, judgement)


def _carry_out(tx: Tx, plan: Plan, exchange: Exchange, judgement: Judgement) -> Reviewed:
    given, actor = plan.given, plan.caller.mc_service_id
    if judgement.declined:
        refused = move(
            tx,
            exchange,
            Event.NOT_RELEASED,
            actor,
            given.at,
            detail={"rule": "release"},
            due_at=None,
            reason=given.reason,
            decided_by=actor,
        )
        return _standing(refused, [given])
    if not judgement.decides:
        note(
            tx,
            exchange,
            Event.RELEASE_APPROVED,
            actor,
            given.at,
            approvals=judgement.approvals,
            needed=judgement.needed,
        )
        return judgement.so_far(exchange)
    released = move(
        tx,
        exchange,
        Event.RELEASED,
        actor,
        given.at,
        detail={"approvals": judgement.approvals, "digest": plan.request.digest},
    )
    outgoing.queue(tx, plan.request, exchange.partner, exchange.expires_at)
    return _standing(released, [given])


def _is_superseded(tx: Tx, exchange: Exchange) -> bool:
    return exchange.catalogue is not None and exchange.catalogue != holdings.current_version(tx)


def _standing(exchange: Exchange, stored: list[Given]) -> Reviewed:
    users = exchange.user_count
    if any(given.declines for given in stored):
        return Reviewed(exchange.id, exchange.state, "refused", 0, users)
    return Reviewed(exchange.id, exchange.state, "released", users, 0)
