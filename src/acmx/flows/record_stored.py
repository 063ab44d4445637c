"""The partner has stored a question, an answer, an update or a revocation of ours, and signed so: it waits no longer."""

from acmx.domain.messages import Receipt
from acmx.flows.replied import Replied, settle
from acmx.storage.engine import Tx


def apply(tx: Tx, replied: Replied, _receipt: Receipt) -> None:
    settle(tx, replied, None, {})
