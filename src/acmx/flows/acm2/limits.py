"""How much is taken from a partner: what waits for its people here, and how many requests an hour.

The hour is a bucket: it holds `max_per_hour` requests and fills up again evenly, so a burst is taken and a flood is
slowed down. One row a partner says until when what it sent has used the bucket up.
"""

from acmx.domain.errors import LimitReached
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges
from acmx.storage.partnership import terms
from acmx.storage.partnership.terms import Terms

HOUR = 3_600_000
UNTIL_SOMEBODY_DECIDES = 300


def take(tx: Tx, agreed: Terms, now: int, *, waits: bool) -> None:
    """Count one request that is taken `now` (milliseconds); `waits`: for a person. Raises LimitReached."""
    partner = agreed.partner
    if waits and exchanges.so_many_wait(tx, partner, agreed.max_open):
        raise LimitReached(
            f"{agreed.max_open} of its requests wait for a decision", retry_after=UNTIL_SOMEBODY_DECIDES
        )
    begins = min(max(terms.spent_until(tx, partner), now), now + HOUR)
    until = begins + HOUR // agreed.max_per_hour
    if until > now + HOUR:
        wait = -((now + HOUR - until) // 1000)
        raise LimitReached(f"{agreed.max_per_hour} requests an hour are taken", retry_after=wait)
    terms.spend(tx, partner, until)
