"""The exchange that a caller names, if the caller may see it."""

from collections.abc import Callable

from acmx.domain.errors import NotAllowed, NotFound
from acmx.domain.exchange import State
from acmx.domain.identities import mc_service_id
from acmx.kinds import GIVING
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges, reviews
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.partnership import thresholds
from acmx.trust.roles import Caller


def find(
    tx: Tx, caller: Caller, name: str, may_see: Callable[[Tx, Caller, Exchange], bool] | None = None
) -> Exchange:
    """`name` is the exchange's id, or PRIMARY:ID where two primary systems minted the same. Raises NotFound."""
    primary, _, id_ = name.rpartition(":")
    visible = may_see or sees
    named = [e for e in exchanges.named(tx, id_.lower()) if primary in ("", e.primary_system)]
    seen = [e for e in named if visible(tx, caller, e)]
    if not seen:
        raise NotFound(f"no exchange {name} that {caller.account} may see")
    if len(seen) > 1:
        raise NotFound(f"more than one: name it {' or '.join(f'{e.primary_system}:{e.id}' for e in seen)}")
    return seen[0]


def find_own(tx: Tx, caller: Caller, name: str, doing: str) -> Exchange:
    """The same, of what the caller has asked: nobody else may, as `doing` says. Raises NotFound, NotAllowed."""
    exchange = find(tx, caller, name)
    if exchange.asker != caller.mc_service_id or exchange.role != "primary":
        raise NotAllowed(f"only the asker {doing}", rule="own-requests")
    return exchange


def sees(tx: Tx, caller: Caller, exchange: Exchange) -> bool:
    """Whoever asked or gave sees the own exchanges, an auditor all, an identity editor what partners gave unasked.

    A reviewer sees what is or was to be reviewed by them. That is, of partners: what is addressed to them or to
    nobody, or has to be approved by several; of the own system: what waits to be released, or was reviewed by them.
    """
    if caller.may("read-all"):
        return True
    if exchange.role == "primary":
        return exchange.asker == caller.mc_service_id or _may_release(tx, caller, exchange)
    if exchange.kind in GIVING and caller.may("identities"):
        return True
    return caller.may("review") and addressed(tx, caller, exchange)


def sees_facts(tx: Tx, caller: Caller, exchange: Exchange) -> bool:
    """Whoever sets the policy sees on what it was asked, of every request that has arrived."""
    return sees(tx, caller, exchange) or (exchange.role == "partner" and caller.may("policy"))


def addressed(tx: Tx, caller: Caller, exchange: Exchange) -> bool:
    """Whether a partner's request means this reviewer: alone or among all, or because several must approve."""
    if not exchange.addressees or set(exchange.addressees) & set(caller.names):
        return True
    return thresholds.find(tx, exchange.partner, exchange.kind, "review").approvals > 1


def addressed_as(caller: Caller, exchange: Exchange) -> str | None:
    """The functional alias of this reviewer that a partner's request names."""
    return next((name for name in exchange.addressees if name in caller.functional_aliases), None)


def _may_release(tx: Tx, caller: Caller, exchange: Exchange) -> bool:
    if not caller.may("review"):
        return False
    if exchange.state is State.AWAITING_RELEASE:
        return True
    person = mc_service_id(caller.mc_service_id).key
    return reviews.versions(tx, exchange.primary_system, exchange.id, person) is not None
