"""Retry now (law 6): the back-off of a partner and of what waits for it is lifted, and the link woken."""

from acmx.domain.acm1 import Retried, Retry
from acmx.domain.errors import FaultyInput, NotFound
from acmx.domain.faults import Fault
from acmx.domain.moments import to_ms
from acmx.flows.house import House
from acmx.storage import journal
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges, outbox
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.outbox import Outgoing
from acmx.storage.partnership import partners
from acmx.trust.roles import Caller


def apply(house: House, tx: Tx, caller: Caller, retry: Retry) -> Retried:
    """Raises NotFound; FaultyInput where both a partner and an exchange are named."""
    if retry.partner and retry.exchange:
        raise FaultyInput([Fault("partner", retry.partner, "must not be named beside an exchange")])
    exchange = _exchange(tx, retry.exchange) if retry.exchange else None
    woken = _partners(tx, exchange.partner if exchange else retry.partner)
    now = to_ms(house.clock())
    for partner in woken:
        partners.try_now(tx, partner)
        tx.signal(Outgoing(partner))
    count = outbox.send_now(
        tx,
        now,
        partner=retry.partner,
        primary=exchange.primary_system if exchange else None,
        id_=exchange.id if exchange else None,
    )
    journal.write(
        tx,
        now,
        "retry-now",
        caller.mc_service_id,
        primary=exchange.primary_system if exchange else None,
        id_=exchange.id if exchange else None,
        partner=retry.partner,
        messages=count,
    )
    return Retried(count, woken)


def _exchange(tx: Tx, name: str) -> Exchange:
    """`name` is the exchange's id, or PRIMARY:ID where two primary systems minted the same."""
    primary, _, id_ = name.rpartition(":")
    found = [e for e in exchanges.named(tx, id_.lower()) if primary in ("", e.primary_system)]
    if len(found) != 1:
        raise NotFound(f"{len(found) or 'no'} exchanges {name}")
    return found[0]


def _partners(tx: Tx, named: str | None) -> list[str]:
    known = [partner.id for partner in partners.every(tx) if named in (None, partner.id)]
    if named and not known:
        raise NotFound(f"no partner {named}")
    return known
