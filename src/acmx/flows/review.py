"""Steps 11 to 13 at B: one person decides over every user of the request, and the response is queued."""

from hashlib import sha256

import msgspec
from msgspec import Struct

from acmx.domain.acm1 import Review, Reviewed
from acmx.domain.errors import Fault, FaultyInput, NotFound, NotNow, OutcomeStands, VersionsDiffer
from acmx.domain.exchange import UNDECIDED, Event
from acmx.domain.messages import Agent, Handler, Request, Verdict
from acmx.domain.moments import whole
from acmx.flows import decide, response
from acmx.flows.decide import Decision
from acmx.flows.find import find
from acmx.flows.held import current_catalogue
from acmx.flows.house import House
from acmx.flows.response import Decided, outcome_of, read_request
from acmx.kinds import kind_named
from acmx.storage import catalogues, exchanges, messages
from acmx.storage.engine import Tx
from acmx.storage.exchanges import Exchange
from acmx.trust.roles import Caller


class Plan(Struct, frozen=True):
    """The decision of one person, and what that person had seen."""

    exchange: Exchange
    decision: Decision
    seen: tuple[int, int]
    reviewed: Reviewed


def prepare(house: House, tx: Tx, caller: Caller, name: str, review: Review) -> Plan:
    """Raises NotAllowed, NotFound, NotNow, FaultyInput, Incomplete."""
    caller.must("review")
    exchange = find(tx, caller, name)
    request = messages.at(tx, exchange.primary_system, exchange.id, exchange.partner, 1)
    if exchange.role != "partner" or request is None or request.type != "request":
        raise NotNow("there is no request of a partner to review", state=exchange.state)
    asked = read_request(request)
    verdicts = _verdicts(asked, review)
    outcome = outcome_of(verdicts)
    held = current_catalogue(tx)
    granted = outcome != "declined"
    alias = exchange.addressee if exchange.addressee in caller.functional_aliases else None
    decided = Decided(
        outcome=outcome,
        verdicts=verdicts,
        handler=(Agent if caller.automatic else Handler)(caller.mc_service_id, alias),
        reason=review.reason,
        content=kind_named(asked.kind).disclosed(asked, held) if granted else {},
        catalogue=held.version if held and granted else None,
        review_digest=_digest(caller, verdicts, review.reason),
    )
    minted = response.minted(house, exchange, request, decided, whole(house.clock()))
    decision = Decision(Event.REVIEWED, caller.mc_service_id, decided, minted)
    approved = sum(len(verdict.users) for verdict in verdicts if verdict.approved)
    reviewed = Reviewed(exchange.id, "decided", outcome, approved, len(asked.users) - approved)
    exchange_seen, _, catalogue_seen = review.seen.partition(".")
    return Plan(exchange, decision, (int(exchange_seen), int(catalogue_seen)), reviewed)


def apply(tx: Tx, plan: Plan) -> Reviewed:
    """Raises OutcomeStands, NotNow where the request has expired, VersionsDiffer, StaleError."""
    exchange = exchanges.find(tx, plan.exchange.primary_system, plan.exchange.id)
    if exchange is None:
        raise NotFound
    if exchange.review_digest is not None and exchange.review_digest == plan.decision.decided.review_digest:
        return msgspec.structs.replace(plan.reviewed, state=exchange.state)
    if exchange.state not in UNDECIDED:
        raise OutcomeStands(
            f"{exchange.outcome or exchange.state} by {exchange.decided_by or exchange.rule or 'the primary system'}",
            state=exchange.state,
            outcome=exchange.outcome,
            decided_by=exchange.decided_by,
            rule=exchange.rule,
            reason=exchange.reason,
        )
    if exchange.expires_at is not None and exchange.expires_at <= plan.decision.response.stored_at:
        raise NotNow("the request has expired", state=exchange.state)
    stands = (exchange.version, catalogues.current_version(tx))
    if plan.seen != stands:
        raise VersionsDiffer(f"seen {_dotted(plan.seen)}, now {_dotted(stands)}", seen=_dotted(stands))
    decide.apply(tx, plan.exchange, plan.decision)
    return plan.reviewed


def _verdicts(request: Request, review: Review) -> tuple[Verdict, ...]:
    if len(review.verdicts) > 2:
        raise FaultyInput([Fault("verdicts", str(len(review.verdicts)), "must be one, or one of each")])
    asked = set(request.users)
    named = [user for verdict in review.verdicts for user in verdict.users or ()]
    faults = [Fault("verdicts", user, "is not in the request") for user in named if user not in asked]
    if len(set(named)) != len(named):
        faults.append(Fault("verdicts", "", "must name each user once"))
    if sum(verdict.users is None for verdict in review.verdicts) > 1:
        faults.append(Fault("verdicts", "", "only one verdict may stand for all the rest"))
    rest = tuple(user for user in request.users if user not in set(named))
    if rest and all(verdict.users is not None for verdict in review.verdicts):
        faults.append(Fault("verdicts", rest[0], "and others are neither approved nor declined"))
    if not review.reason.isprintable():
        faults.append(Fault("reason", review.reason, "must not contain control characters"))
    if faults:
        raise FaultyInput(faults)
    given = (
        Verdict(verdict.approved, rest if verdict.users is None else verdict.users, review.reason)
        for verdict in review.verdicts
    )
    return tuple(verdict for verdict in given if verdict.users)


def _digest(caller: Caller, verdicts: tuple[Verdict, ...], reason: str) -> str:
    same = sorted((user, verdict.approved) for verdict in verdicts for user in verdict.users)
    return sha256(msgspec.json.encode([caller.mc_service_id, same, reason])).hexdigest()


def _dotted(seen: tuple[int, int]) -> str:
    return f"{seen[0]}.{seen[1]}"
