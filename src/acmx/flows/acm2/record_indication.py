"""Step 5 at A: the partner has stored the request, and signed so."""

from acmx.domain.exchange import Event
from acmx.domain.messages import Receipt
from acmx.domain.moments import to_ms
from acmx.flows.acm2.replied import Replied, settle
from acmx.storage.engine import Tx


def apply(tx: Tx, replied: Replied, receipt: Receipt) -> None:
    detail: dict[str, object] = {"step_3": replied.queued.first_sent_at, "step_4": to_ms(receipt.created_at)}
    settle(tx, replied, Event.INDICATED, detail)
