"""Who has reviewed an exchange, and whose review it still waits for."""

from acmx.domain.acm1 import GivenReview
from acmx.domain.exchange import UNDECIDED, State
from acmx.domain.moments import from_ms
from acmx.flows.exchange.approvals import Versions, may_review, person_of
from acmx.flows.exchange.held import version_to_give
from acmx.storage.engine import Tx
from acmx.storage.exchange import reviews
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.partnership import thresholds
from acmx.storage.partnership.thresholds import Side, Threshold
from acmx.trust.roles import Caller


def shown(tx: Tx, exchange: Exchange) -> tuple[GivenReview, ...]:
    """In the order in which they were given."""
    versions = _versions(tx, exchange) if is_open(exchange) else None
    return tuple(
        GivenReview(
            person=given.person,
            at=from_ms(given.at),
            approved=given.approved,
            declined=len(given.declines),
            reason=given.reason,
            counts=versions in (None, given.versions),
            note=given.note,
        )
        for given in reviews.of_exchange(tx, exchange.primary_system, exchange.id)
    )


def needed(tx: Tx, exchange: Exchange) -> int | None:
    """How many people must approve, while it is open; None where it is not."""
    return max(_threshold(tx, exchange).approvals, 1) if is_open(exchange) else None


def is_open(exchange: Exchange) -> bool:
    """Whether it waits for people here to review or release it."""
    if exchange.role == "primary":
        return exchange.state is State.AWAITING_RELEASE
    return exchange.state in UNDECIDED


def waits_for(tx: Tx, caller: Caller, exchange: Exchange) -> bool:
    """Whether this open exchange waits for this caller, who may see it: not if it was reviewed by them already."""
    if not may_review(caller, exchange, _threshold(tx, exchange)):
        return False
    person = person_of(caller.mc_service_id)
    return reviews.versions(tx, exchange.primary_system, exchange.id, person) != _versions(tx, exchange)


def _threshold(tx: Tx, exchange: Exchange) -> Threshold:
    side: Side = "release" if exchange.role == "primary" else "review"
    return thresholds.find(tx, exchange.partner, exchange.kind, side)


def _versions(tx: Tx, exchange: Exchange) -> Versions:
    return exchange.version, version_to_give(tx, exchange)
