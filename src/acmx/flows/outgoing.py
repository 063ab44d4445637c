"""A message of ours: minted once, stored with its digest, queued for the partner."""

from acmx.domain.documents import encode
from acmx.domain.messages import AnyMessage
from acmx.domain.moments import to_ms
from acmx.flows.carry_out import StaleError
from acmx.flows.house import DELIVERY_AFTER_END
from acmx.storage import messages, outbox
from acmx.storage.engine import Tx
from acmx.storage.messages import Stored
from acmx.storage.outbox import Queued
from acmx.trust.signatures import body_digest


def minted(message: AnyMessage, primary: str) -> Stored:
    """The message as it is stored and sent, byte for byte, however often."""
    body = encode(message)
    return Stored(
        primary_system=primary,
        id=message.exchange,
        sender=message.sender,
        n=message.n,
        type=type(message).__name__.lower(),
        digest=body_digest(body),
        body=body,
        signature=None,
        stored_at=to_ms(message.created_at),
    )


def keep(tx: Tx, message: Stored) -> None:
    """Raises StaleError where the place is taken."""
    if not messages.insert(tx, message):
        raise StaleError


def send(tx: Tx, message: Stored, partner: str, ends_at: int | None) -> None:
    """Keep and queue it; it is sent until 90 days after the exchange ends, or after now where that is later."""
    keep(tx, message)
    queue(tx, message, partner, ends_at)


def queue(
    tx: Tx, message: Stored, partner: str, ends_at: int | None, *, first_sent_at: int | None = None
) -> None:
    """It waits for the partner's signed word; `first_sent_at` (milliseconds) where it was sent before."""
    last = max(ends_at or 0, message.stored_at) + int(DELIVERY_AFTER_END.total_seconds() * 1000)
    outbox.put(
        tx,
        Queued(
            serial=None,
            partner=partner,
            primary_system=message.primary_system,
            id=message.id,
            n=message.n,
            type=message.type,
            queued_at=message.stored_at,
            next_attempt_at=message.stored_at,
            give_up_at=last,
            first_sent_at=first_sent_at,
        ),
    )
