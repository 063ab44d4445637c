"""The partner's signed word on a message of ours: what the outbox waits for."""

from msgspec import Struct

from acmx.domain.exchange import Event, transition
from acmx.flows.exchange.change import move
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges, messages, outbox
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.outbox import Queued


class Replied(Struct, frozen=True):
    """A receipt or final refusal whose signature and digest fit the queued message. `at` in milliseconds."""

    queued: Queued
    sender: str
    reply: bytes
    signature: str
    at: int


def settle(
    tx: Tx, replied: Replied, event: Event | None, detail: dict[str, object], **fields: object
) -> Exchange | None:
    """The message waits no longer, its reply is kept, and the exchange hears of it where the table admits that.

    None where there is nothing to change: a late or second reply never moves a state back.
    """
    queued = replied.queued
    primary, id_, n = queued.primary_system, queued.id, queued.n
    messages.keep_reply(tx, primary, id_, replied.sender, n, replied.reply, replied.signature)
    waited = outbox.remove(tx, primary, id_, n)
    exchange = exchanges.find(tx, primary, id_)
    if not waited or exchange is None or event is None:
        return None
    if transition(exchange.role, exchange.state, event) is None:
        return None
    return move(tx, exchange, event, exchange.partner, replied.at, detail=detail, **fields)
