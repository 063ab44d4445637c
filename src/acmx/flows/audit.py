"""The journal as an auditor reads it: newest first, page by page; and the refusals of faces are written to it."""

from acmx.domain.acm1 import AuditPage
from acmx.flows.show import journal_entry
from acmx.storage import journal
from acmx.storage.engine import Tx


def page(tx: Tx, *, after: int | None, limit: int) -> AuditPage:
    found = journal.page(tx, before=after, limit=limit + 1)
    following = str(found[limit - 1].serial) if len(found) > limit else None
    return AuditPage([journal_entry(entry) for entry in found[:limit]], following)
