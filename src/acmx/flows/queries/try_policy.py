"""What another policy would have said to requests that have arrived, on the facts that were kept. Nothing changes."""

from typing import Any

from msgspec import Struct

from acmx.domain.acm1 import Consultation, TrialPage, Tried
from acmx.domain.errors import NotNow
from acmx.domain.moments import from_ms
from acmx.flows.exchange.find import find, sees_facts
from acmx.flows.policy import consult, read_policy
from acmx.flows.queries.explain import decider
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges
from acmx.storage.exchange.exchanges import Exchange
from acmx.trust.policy import Policy
from acmx.trust.roles import Caller

LOOKED_AT = 1000


class Arrived(Struct, frozen=True):
    """Requests that have arrived, newest first, with what policy was asked on; where the next ones begin."""

    requests: list[tuple[Exchange, Consultation | None]]
    next: str | None = None


def one(tx: Tx, caller: Caller, name: str) -> Arrived:
    """Raises NotFound, and NotNow for an exchange that no partner began."""
    exchange = find(tx, caller, name, sees_facts)
    if not _has_arrived(exchange):
        raise NotNow("there is no request of a partner in it", state=exchange.state)
    return Arrived([(exchange, consult.kept(consult.row(tx, exchange)))])


def last(tx: Tx, caller: Caller, *, after: int | None, limit: int) -> Arrived:
    """A page of those whose facts the caller may see: at most `limit`, perhaps none though there are more."""
    found = exchanges.page(tx, asker=None, before=after, limit=LOOKED_AT + 1)
    looked_at = found[:LOOKED_AT]
    visible = [e for e in looked_at if _has_arrived(e) and sees_facts(tx, caller, e)]
    requests = [(e, consult.kept(consult.row(tx, e))) for e in visible[:limit]]
    if len(visible) > limit:
        return Arrived(requests, str(visible[limit - 1].serial))
    return Arrived(requests, str(looked_at[-1].serial) if len(found) > LOOKED_AT else None)


def judge(text: str, arrived: Arrived) -> TrialPage:
    """Takes a while: the text is parsed, and asked for each of them. Raises FaultyInput where it is no policy."""
    policy = read_policy.read(text)
    return TrialPage([_tried(policy, *request) for request in arrived.requests], arrived.next)


def _has_arrived(exchange: Exchange) -> bool:
    return exchange.role == "partner" and exchange.kind is not None


def _tried(policy: Policy, exchange: Exchange, asked: Consultation | None) -> Tried:
    happened: dict[str, Any] = {
        "id": exchange.id,
        "primary": exchange.primary_system,
        "at": from_ms(exchange.created_at),
        "state": exchange.state,
        "outcome": exchange.outcome,
        "by": decider(exchange),
        "decided_by": exchange.decided_by,
        "rule": exchange.rule,
    }
    if asked is None:
        return Tried(**happened)
    would = policy.decide(partner=exchange.partner, kind=exchange.kind or "", facts=asked.facts)
    return Tried(
        **happened,
        was=asked.decision,
        would=would.decision,
        rules=would.rules,
        forbidden=would.forbidden,
        failed=would.failed,
        facts=asked.facts,
    )
