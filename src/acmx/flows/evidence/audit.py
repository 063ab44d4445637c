"""The journal as an auditor reads it: newest first; or as it is sealed, oldest first, with checkpoints."""

from datetime import datetime

from acmx.domain.acm1 import AuditPage
from acmx.domain.moments import to_ms
from acmx.domain.records import Checkpoints, SealedRow, SealedRows, SignedCheckpoint
from acmx.flows.evidence.seal import line_of, signed
from acmx.flows.house import House
from acmx.flows.queries.show import journal_entry
from acmx.storage import journal, seals
from acmx.storage.engine import Tx
from acmx.storage.journal import ALL, Wanted
from acmx.storage.seals import Row
from acmx.trust.roles import Caller

LOOKED_AT = 100_000


def page(tx: Tx, *, after: int | None, limit: int, wanted: Wanted = ALL) -> AuditPage:
    """At most `limit` of those wanted; where few are, perhaps none though there are more."""
    from_ = max(0, (after or journal.last(tx) + 1) - LOOKED_AT)
    found = journal.page(tx, before=after, limit=limit + 1, wanted=wanted, from_=from_)
    following = str(found[limit - 1].serial) if len(found) > limit else str(from_) if from_ > 1 else None
    return AuditPage([journal_entry(entry) for entry in found[:limit]], following)


def note_export(house: House, tx: Tx, caller: Caller) -> None:
    """Somebody begins to take the journal away."""
    journal.write(tx, to_ms(house.clock()), "journal-exported", caller.mc_service_id)


def rows(tx: Tx, *, after: int, limit: int, since: datetime | None = None) -> SealedRows:
    """Those after the serial `after`; on the first page with `since`, from about that time on."""
    if since is not None and not after:
        after = journal.last_before(tx, to_ms(since))
    found = seals.after(tx, after, limit + 1)
    following = str(found[limit - 1].serial) if len(found) > limit else None
    return SealedRows([sealed(row) for row in found[:limit]], following)


def sealed(row: Row) -> SealedRow:
    line = line_of(row, row.number).decode()
    return SealedRow(row.serial, row.number, row.hash.hex() if row.hash is not None else None, line)


def checkpoints(tx: Tx, system: str, *, after: int, limit: int) -> Checkpoints:
    found = seals.checkpoints(tx, after=after, limit=limit + 1)
    following = str(found[limit - 1].size) if len(found) > limit else None
    return Checkpoints([signed(tx, system, kept) for kept in found[:limit]], following)


def last_checkpoint(tx: Tx, system: str) -> SignedCheckpoint:
    """Raises LookupError while nothing is sealed."""
    last = seals.last_checkpoint(tx)
    if last is None:
        raise LookupError(system)
    return signed(tx, system, last)
