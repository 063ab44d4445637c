"""What waits for partners, oldest first, page by page (law 13), with what stands in its way."""

from acmx.domain.acm1 import OutboxPage, QueuedMessage
from acmx.domain.moments import from_ms, to_ms
from acmx.flows.house import House
from acmx.storage.engine import Tx
from acmx.storage.exchange import outbox
from acmx.storage.exchange.outbox import Queued
from acmx.storage.partnership import partners
from acmx.storage.partnership.partners import Partner


def page(house: House, tx: Tx, *, after: int | None, limit: int, partner: str | None = None) -> OutboxPage:
    found = outbox.page(tx, after=after or 0, limit=limit + 1, partner=partner)
    known = {one.id: one for one in partners.every(tx)}
    now = to_ms(house.clock())
    following = str(found[limit - 1].serial) if len(found) > limit else None
    return OutboxPage([_shown(queued, known.get(queued.partner), now) for queued in found[:limit]], following)


def _shown(queued: Queued, partner: Partner | None, now: int) -> QueuedMessage:
    """A message waits for its partner's back-off too, and shows its partner's error where it has none."""
    back_off = (partner and partner.next_attempt_at) or 0
    return QueuedMessage(
        partner=queued.partner,
        primary=queued.primary_system,
        exchange=queued.id,
        n=queued.n,
        type=queued.type,
        queued_at=from_ms(queued.queued_at),
        attempts=queued.attempts,
        next_attempt_at=from_ms(max(queued.next_attempt_at, back_off)),
        give_up_at=from_ms(queued.give_up_at),
        last_attempt_at=from_ms(queued.last_sent_at) if queued.last_sent_at else None,
        last_error=(partner and partner.last_error) or queued.last_error,
        undeliverable=queued.give_up_at <= now,
    )
