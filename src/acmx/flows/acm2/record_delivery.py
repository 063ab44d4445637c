"""Step 14 seen from B: the primary has stored the response, and signed so."""

from acmx.domain.exchange import Event
from acmx.domain.messages import Receipt
from acmx.domain.moments import to_ms
from acmx.flows.acm2.replied import Replied, settle
from acmx.storage.engine import Tx


def apply(tx: Tx, replied: Replied, receipt: Receipt) -> None:
    detail: dict[str, object] = {
        "step_13": replied.queued.first_sent_at,
        "step_14": to_ms(receipt.created_at),
    }
    settle(tx, replied, Event.RESPONSE_DELIVERED, detail)
