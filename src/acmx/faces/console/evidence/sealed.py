"""The sealed journal page by page, as ACM-1 gives it to an auditor."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence

from msgspec import Struct

from acmx.domain import documents
from acmx.domain.errors import FaultyInput
from acmx.domain.records import Checkpoint, SealedRow, SignedCheckpoint
from acmx.faces.acm1 import evidence
from acmx.faces.acm1.calls import LONGEST_PAGE
from acmx.faces.console.visit import Visit
from acmx.trust.checkpoints import Checkpoints
from acmx.trust.journal_check import JournalCheck, Verdict
from acmx.trust.sealing import read_checkpoint


class Verified(Struct, frozen=True):
    """What a look at the whole journal came to, and by which keys its checkpoints are signed."""

    verdict: Verdict
    keys: Counter[str]


async def rows(visit: Visit, size: int, since: str = "") -> AsyncIterator[list[SealedRow]]:
    """Pages of what the first `size` rows are, from about `since` on. Raises FaultyInput before the first page."""
    query: dict[str, object] = {"limit": LONGEST_PAGE, **({"since": since} if since else {})}
    while True:
        page = await visit.ask(evidence.get_rows, query=query)
        yield [row for row in page.items if row.number is None or row.number <= size]
        if page.next is None or (page.items[-1].number or 0) >= size:
            return
        query = {"limit": LONGEST_PAGE, "after": page.next}


async def verify(visit: Visit, shipped: Sequence[SignedCheckpoint]) -> Verified:
    """What its newest checkpoint covers, with all checkpoints that are stored, and those kept elsewhere."""
    last = await visit.ask(evidence.get_checkpoint)
    size = read_checkpoint(last).size
    checkpoints = Checkpoints(await _stored(visit, size) + [last], shipped)
    check = JournalCheck(checkpoints)
    async for page in rows(visit, size):
        await asyncio.to_thread(_take, check, page)
    return Verified(check.finish(checkpoints.troubles), checkpoints.keys)


async def _stored(visit: Visit, size: int) -> list[SignedCheckpoint]:
    """Those of fewer rows, the smallest first."""
    found: list[SignedCheckpoint] = []
    query: dict[str, object] = {"limit": LONGEST_PAGE}
    while True:
        page = await visit.ask(evidence.get_checkpoints, query=query)
        found += page.items
        if page.next is None or int(page.next) >= size:
            return [one for one in found if _size(one) < size]
        query["after"] = page.next


def _size(signed: SignedCheckpoint) -> int:
    """0 where it cannot be read: the check says so."""
    try:
        return documents.read(signed.checkpoint.encode(), Checkpoint).size
    except FaultyInput:
        return 0


def _take(check: JournalCheck, page: list[SealedRow]) -> None:
    for row in page:
        check.take(row)
