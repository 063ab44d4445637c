"""Who holds which version of our server identity information."""

from acmx.domain.acm1 import Holder, Holders
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges


def holders(tx: Tx) -> Holders:
    """By the approvals that hold; what was given unasked stays as it was given, and is not among them."""
    return Holders([Holder(*row) for row in exchanges.holding(tx)])
