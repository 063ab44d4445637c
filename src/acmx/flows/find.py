"""The exchange that a caller names, if the caller may see it."""

from collections.abc import Callable

from acmx.domain.errors import NotFound
from acmx.storage import exchanges
from acmx.storage.engine import Tx
from acmx.storage.exchanges import Exchange
from acmx.trust.roles import Caller


def find(
    tx: Tx, caller: Caller, name: str, may_see: Callable[[Caller, Exchange], bool] | None = None
) -> Exchange:
    """`name` is the exchange's id, or PRIMARY:ID where two primary systems minted the same. Raises NotFound."""
    primary, _, id_ = name.rpartition(":")
    visible = may_see or sees
    named = [e for e in exchanges.named(tx, id_.lower()) if primary in ("", e.primary_system)]
    seen = [e for e in named if visible(caller, e)]
    if not seen:
        raise NotFound(f"no exchange {name} that {caller.account} may see")
    if len(seen) > 1:
        raise NotFound(f"more than one: name it {' or '.join(f'{e.primary_system}:{e.id}' for e in seen)}")
    return seen[0]


def sees(caller: Caller, exchange: Exchange) -> bool:
    """A requester sees the own exchanges, a reviewer those addressed to them or to nobody, an auditor all."""
    if caller.may("read-all"):
        return True
    if exchange.role == "primary":
        return exchange.asker == caller.mc_service_id
    return caller.may("review") and (exchange.addressee is None or exchange.addressee in caller.names)


def sees_facts(caller: Caller, exchange: Exchange) -> bool:
    """Whoever sets the policy sees on what it was asked, of every request that has arrived."""
    return sees(caller, exchange) or (exchange.role == "partner" and caller.may("policy"))
