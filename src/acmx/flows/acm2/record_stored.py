"""The partner has stored a message of ours that it need not say more about, and signed so: it waits no longer."""

from acmx.domain.messages import Receipt
from acmx.flows.acm2.replied import Replied, settle
from acmx.storage.engine import Tx


def apply(tx: Tx, replied: Replied, _receipt: Receipt) -> None:
    settle(tx, replied, None, {})
