"""The partner's signed word on a message of ours is handed to the flow that it concerns."""

from datetime import timedelta

from acmx.delivery.backoff import delay
from acmx.domain.messages import PROBLEM, Receipt, Refusal
from acmx.flows.acm2 import (
    record_delivery,
    record_indication,
    record_refusal,
    record_stored,
    record_withdrawal,
)
from acmx.flows.acm2.receive import COMPARED
from acmx.flows.acm2.replied import Replied
from acmx.storage.engine import Tx
from acmx.storage.exchange import outbox
from acmx.storage.partnership import partners

RECEIPTED = {
    "request": record_indication.apply,
    "response": record_delivery.apply,
    "withdrawal": record_withdrawal.apply,
    "question": record_stored.apply,
    "answer": record_stored.apply,
    "update": record_stored.apply,
    "revocation": record_stored.apply,
}
SHOW_A_DIFFERENCE = frozenset(error.type for error in COMPARED)
MILLISECOND = timedelta(milliseconds=1)


def record(tx: Tx, replied: Replied, word: Receipt | Refusal, retry_after: timedelta = timedelta(0)) -> None:
    """A receipt or final refusal settles the message; any other refusal puts it off, as long as it asks for."""
    queued = replied.queued
    if isinstance(word, Receipt):
        RECEIPTED[queued.type](tx, replied, word)
    elif word.final:
        record_refusal.apply(tx, replied, word)
    else:
        if word.type.removeprefix(PROBLEM) in SHOW_A_DIFFERENCE:
            partners.to_compare(tx, queued.partner, replied.at, word.type.removeprefix(PROBLEM))
        again = replied.at + max(delay(queued.attempts), retry_after) // MILLISECOND
        outbox.put_off(tx, queued, again, f"{word.title} {word.detail}".strip())
