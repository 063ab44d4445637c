"""An operator has removed what is past its retention: bodies, texts and notices; what proves them stays."""

from acmx.domain.moments import from_ms, to_ms
from acmx.domain.records import Purged
from acmx.flows.house import House
from acmx.storage import journal, purging
from acmx.storage.engine import Tx
from acmx.trust.roles import Caller

AT_ONCE = 100


def look(house: House, tx: Tx) -> Purged:
    """What a purge would remove; nothing is changed."""
    before = _before(house)
    exchanges, messages, notices = purging.counts(tx, before)
    return Purged(from_ms(before), exchanges, messages, notices, more=False)


def apply(house: House, tx: Tx, caller: Caller) -> Purged:
    """Some exchanges at a time, each with its row in the journal."""
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
    more = AT_ONCE in (len(ended), len(refused))
    return Purged(from_ms(before), len(ended), messages + len(refused), notices, more)


def _before(house: House) -> int:
    return to_ms(house.clock() - house.retention)
