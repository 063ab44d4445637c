"""At A: the partner's word on a withdrawal: withdrawn, or decided already (its response comes by itself)."""

from acmx.domain.exchange import Event
from acmx.domain.messages import Receipt
from acmx.flows.acm2.replied import Replied, settle
from acmx.storage.engine import Tx


def apply(tx: Tx, replied: Replied, receipt: Receipt) -> None:
    event = Event.WITHDRAWAL_CONFIRMED if receipt.status == "withdrawn" else Event.WITHDRAWAL_TOO_LATE
    settle(tx, replied, event, {})
