"""The outcome takes effect at B: the exchange is decided and the response queued, in one transaction (step 12, 13)."""

from msgspec import Struct

from acmx.domain.exchange import Event
from acmx.domain.messages import Handler
from acmx.flows.carry_out import StaleError
from acmx.flows.exchange import outgoing
from acmx.flows.exchange.change import move
from acmx.flows.exchange.response import Decided
from acmx.storage import holdings
from acmx.storage.engine import Tx
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored


class Decision(Struct, frozen=True):
    """What is to be written once the exchange is still as it was read."""

    event: Event
    actor: str
    decided: Decided
    response: Stored
    reviewed_before_by: tuple[str, ...] = ()


def apply(tx: Tx, exchange: Exchange, decision: Decision) -> Exchange:
    """Raises NotNow where the outcome stands, StaleError where the exchange or the server identities have changed."""
    decided, response = decision.decided, decision.response
    if decided.catalogue is not None and decided.catalogue != holdings.current_version(tx):
        raise StaleError
    handler = decided.handler
    changed = move(
        tx,
        exchange,
        decision.event,
        decision.actor,
        response.stored_at,
        detail={
            "outcome": decided.outcome,
            "rule": decided.rule,
            "digest": response.digest,
            "reviewed_before_by": list(decision.reviewed_before_by) or None,
        },
        outcome=decided.outcome,
        reason=decided.reason,
        decided_by=handler.mc_service_id if isinstance(handler, Handler) else None,
        rule=decided.rule,
        catalogue=decided.catalogue,
        grant_state="live" if decided.granted else None,
        valid_from=exchange.valid_from if decided.granted else None,
        valid_until=exchange.valid_until if decided.granted else None,
        due_at=exchange.valid_until if decided.granted else None,
        sent_n=response.n,
    )
    outgoing.send(tx, response, exchange.partner, exchange.expires_at)
    return changed
