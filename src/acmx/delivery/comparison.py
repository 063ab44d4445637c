"""Comparing with one partner what both hold of their common exchanges: at start, after silence, after a refusal
that shows a difference, every six hours, and when somebody asks for it.

Each page of theirs is compared with our rows of the same range of keys, so memory stays flat. What the partner says
is believed as far as the signatures go and no further; the rest is journalled and changes nothing.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from itertools import islice

from acmx.delivery.wire import LinkDown, Wire
from acmx.domain.comparison import Common, ExchangesPage, Standing, key_of
from acmx.domain.errors import AcmxError, BadSignature, TemporarilyUnavailable, WrongPartner
from acmx.domain.moments import from_ms, to_ms
from acmx.flows.carry_out import StaleError
from acmx.flows.house import House
from acmx.flows.reconciliation import compare, restore
from acmx.flows.reconciliation.compare import Difference
from acmx.flows.reconciliation.restore import Given
from acmx.storage import journal
from acmx.storage.engine import Store, Tx
from acmx.storage.exchange import compared
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored
from acmx.storage.partnership import partners
from acmx.storage.partnership.partners import Partner
from acmx.trust.own import Own
from acmx.trust.signatures import body_digest, verify

EVERY = timedelta(hours=6)
OVERLAP = 24 * 60 * 60 * 1000
PAGE = 200
AT_A_TIME = 16
MOST_JOURNALLED = 20
BEYOND = ("\U0010ffff", "")


def due_in(partner: Partner, now: int) -> timedelta:
    """How long until the next comparison; nothing or less where one is due. `now` in milliseconds.

    A last one in our future was dated by a wrong clock.
    """
    if partner.comparison_due_at is not None or partner.compared_at is None or partner.compared_at > now:
        return timedelta(0)
    return timedelta(milliseconds=partner.compared_at - now) + EVERY


class Comparison:
    """One comparison with one partner."""

    def __init__(self, house: House, store: Store, own: Own, wire: Wire, partner: Partner) -> None:
        self._house = house
        self._store = store
        self._own = own
        self._wire = wire
        self._peer = partner.id
        self._began = to_ms(house.clock())
        last = partner.compared_at or 0
        self._compared_at = last if last <= self._began else 0
        self._wrong: list[AcmxError] = []

    async def run(self) -> None:
        """Compare everything once. Raises LinkDown; the comparison stays due then."""
        since = from_ms(max(self._compared_at - OVERLAP, 0))
        after = ""
        while True:
            page = await self._wire.exchanges(since, after, PAGE)
            await self._compare_page(page, key_of(after))
            if page.next is None:
                break
            if key_of(page.next) <= key_of(after):
                self._wrong.append(WrongPartner(f"the page after {after} leads back to {page.next}"))
                break
            after = page.next
        error = f"{len(self._wrong)} wrong: {self._wrong[0]}"[:500] if self._wrong else None
        await self._store.write(partial(partners.compared, id_=self._peer, began_at=self._began, error=error))

    async def _compare_page(self, page: ExchangesPage, after: tuple[str, str]) -> None:
        upto = key_of(page.next) if page.next else BEYOND
        await self._each(partial(self._listed, theirs=theirs) for theirs in page.items)
        listed = {theirs.key for theirs in page.items}
        while True:
            ours = await self._store.read(partial(self._ours, after=after, upto=upto))
            await self._each(
                partial(self._unlisted, exchange=exchange)
                for exchange in ours
                if (exchange.primary_system, exchange.id) not in listed
            )
            if len(ours) < PAGE:
                return
            after = ours[-1].primary_system, ours[-1].id

    async def _each(self, looks: Iterable[Callable[[Tx], Difference | AcmxError]]) -> None:
        """Exchanges are settled some at a time: they share connections and commits."""
        waiting = iter(looks)
        while some := list(islice(waiting, AT_A_TIME)):
            found = await self._store.read(lambda tx, some=some: [look(tx) for look in some])  # type: ignore[misc]
            outcomes = await asyncio.gather(*map(self._settle, found), return_exceptions=True)
            for error in filter(None, outcomes):
                raise error

    def _listed(self, tx: Tx, theirs: Common) -> Difference | AcmxError:
        try:
            return compare.listed(tx, self._house.system, self._peer, theirs, self._began)
        except WrongPartner as error:
            return error

    def _unlisted(self, tx: Tx, exchange: Exchange) -> Difference:
        return compare.unlisted(tx, self._house.system, exchange, self._began)

    def _ours(self, tx: Tx, after: tuple[str, str], upto: tuple[str, str]) -> list[Exchange]:
        return compared.page(tx, self._peer, since=self._compared_at, after=after, upto=upto, limit=PAGE)

    async def _settle(self, found: Difference | AcmxError) -> None:
        if isinstance(found, AcmxError):
            await self._note_wrong(found)
            return
        if not found.any:
            return
        try:
            given = [await self._fetch(found, standing) for standing in found.fetch]
            await self._store.write(lambda tx: restore.apply(self._house, tx, found, given))
        except (LinkDown, TemporarilyUnavailable):
            raise
        except StaleError:
            return
        except AcmxError as error:
            await self._note_wrong(error, found)

    async def _fetch(self, found: Difference, standing: Standing) -> Given:
        """Raises LinkDown, UnknownExchange, BadSignature, InvalidMessage."""
        sender = found.sender_of(standing, self._house.system)
        body, signature = await self._wire.message(found.primary, found.id, standing.sender, standing.n)
        if body_digest(body) != standing.digest:
            raise BadSignature(f"message {standing.n} of {sender} is not the one with this digest")
        ours = sender == self._house.system
        verify(
            signature,
            body,
            self._own.verify_keys if ours else self._wire.peer.keys,
            iss=sender,
            aud=self._peer if ours else self._house.system,
            typ="acm-message",
            exchange=f"{found.primary}/{found.id}",
            n=standing.n,
            now=to_ms(self._house.clock()) // 1000,
        )
        stored = Stored(
            primary_system=found.primary,
            id=found.id,
            sender=sender,
            n=standing.n,
            type=standing.type,
            digest=standing.digest,
            body=body,
            signature=signature,
            stored_at=to_ms(self._house.clock()),
        )
        return restore.read(self._house, found, stored)

    async def _note_wrong(self, error: AcmxError, found: Difference | None = None) -> None:
        self._wrong.append(error)
        if len(self._wrong) > MOST_JOURNALLED:
            return
        await self._store.write(
            partial(
                journal.write,
                at=to_ms(self._house.clock()),
                event="comparison-refused",
                actor=self._peer,
                primary=found.primary if found else None,
                id_=found.id if found else None,
                type=error.type,
                detail=error.detail[:200],
            )
        )
