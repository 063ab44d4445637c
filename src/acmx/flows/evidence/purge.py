"""An operator has removed what is past its retention: bodies, texts, notices, and whose documents were written.

What proves them stays, and how many documents there were.
"""

from acmx.domain.errors import NotNow
from acmx.domain.moments import from_ms, to_ms
from acmx.domain.records import Purged
from acmx.flows.house import House
from acmx.flows.operations import suspend_expiry
from acmx.storage import journal, provisionings, purging
from acmx.storage.engine import Tx
from acmx.trust.roles import Caller

AT_ONCE = 100
ROWS_AT_ONCE = 5000


def look(house: House, tx: Tx) -> Purged:
    """What a purge would remove; nothing is changed."""
    before = _before(house)
    exchanges, messages, notices = purging.counts(tx, before)
    return Purged(from_ms(before), exchanges, messages, notices, provisionings.past(tx, before), more=False)


def apply(house: House, tx: Tx, caller: Caller) -> Purged:
    """Some exchanges at a time, each with its row in the journal. Raises NotNow while the clock is in doubt."""
    if suspend_expiry.doubted(house, tx):
        raise NotNow("the clock is in doubt; set it right, then: acmx clock confirm")
    now, before = to_ms(house.clock()), _before(house)
    ended = purging.ended(tx, before, AT_ONCE)
    messages = notices = 0
    for primary, id_ in ended:
        bodies, told = purging.purge(tx, primary, id_, now)
        messages, notices = messages + bodies, notices + told
        journal.write(tx, now, "purged", caller.mc_service_id, primary=primary, id_=id_, messages=bodies)
    refused = purging.refused(tx, before, AT_ONCE)
    for primary, id_, sender, n in refused:
        purging.purge_refused(tx, primary, id_, sender, n)
        journal.write(tx, now, "purged", caller.mc_service_id, primary=primary, id_=id_, messages=1)
    rows = _prune(tx, caller, now, before)
    more = AT_ONCE in (len(ended), len(refused)) or provisionings.oldest(tx, before) is not None
    return Purged(from_ms(before), len(ended), messages + len(refused), notices, rows, more)


def _prune(tx: Tx, caller: Caller, now: int, before: int) -> int:
    """Rows of one provisioning job at a time."""
    job = provisionings.oldest(tx, before)
    if job is None:
        return 0
    rows = provisionings.prune(tx, job.id, ROWS_AT_ONCE)
    journal.write(
        tx, now, "purged", caller.mc_service_id, primary=job.primary, id_=job.exchange, job=job.id, rows=rows
    )
    return rows


def _before(house: House) -> int:
    return to_ms(house.clock() - house.retention)
