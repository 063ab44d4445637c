"""The exchanges that a caller may see, newest first, page by page (law 13)."""

from collections.abc import Iterable

from acmx.domain.acm1 import Page
from acmx.flows.exchange.find import sees
from acmx.flows.exchange.summary import summary
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges
from acmx.storage.exchange.exchanges import Exchange
from acmx.trust.roles import Caller, Permission

LOOKED_AT = 1000
OTHERS_TOO: tuple[Permission, ...] = ("read-all", "review", "identities")
"""Who has one of these may see exchanges of others."""


def page(
    tx: Tx, caller: Caller, *, after: int | None, limit: int, state: str | None, partner: str | None
) -> Page:
    """`after` is the `next` of the page before. A page may hold fewer rows than `limit` and still have a next."""
    own_only = not any(map(caller.may, OTHERS_TOO))
    asker = caller.mc_service_id if own_only else None
    looked_at = limit if own_only or caller.may("read-all") else LOOKED_AT
    found = exchanges.page(tx, asker=asker, before=after, limit=looked_at + 1, state=state, partner=partner)
    return _page(tx, found[:looked_at], caller, limit, more=len(found) > looked_at)


def _page(tx: Tx, found: Iterable[Exchange], caller: Caller, limit: int, *, more: bool) -> Page:
    taken: list[Exchange] = []
    last: int | None = None
    for exchange in found:
        if len(taken) == limit:
            return Page([summary(e) for e in taken], str(last))
        last = exchange.serial
        if sees(tx, caller, exchange):
            taken.append(exchange)
    return Page([summary(e) for e in taken], str(last) if more else None)
