"""A message of ours: minted once, stored with its digest, queued for the partner."""

from datetime import datetime
from typing import TypedDict

from acmx.domain.documents import encode
from acmx.domain.messages import VERSION, AnyMessage
from acmx.domain.moments import to_ms
from acmx.flows.carry_out import StaleError
from acmx.flows.house import DELIVERY_AFTER_END, House
from acmx.storage.engine import Tx
from acmx.storage.exchange import messages, outbox
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored
from acmx.storage.exchange.outbox import Queued
from acmx.trust.signatures import body_digest


class Heading(TypedDict):
    """What every message says of itself."""

    version: str
    exchange: str
    n: int
    sender: str
    receiver: str
    created_at: datetime


def heading(house: House, exchange: Exchange, at: datetime) -> Heading:
    """Of the next message of this system in the exchange."""
    return Heading(
        version=VERSION,
        exchange=exchange.id,
        n=exchange.sent_n + 1,
        sender=house.system,
        receiver=exchange.partner,
        created_at=at,
    )


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
