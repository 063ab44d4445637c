"""The sealed journal, the evidence of an exchange, and the end of retention."""

from collections.abc import Iterator
from datetime import datetime

from acmx.client.calls import Calls
from acmx.client.pages import pages
from acmx.client.places import path, query
from acmx.domain.acm1 import Acknowledged, Acknowledgement
from acmx.domain.records import (
    Checkpoints,
    EvidenceFile,
    Purged,
    PurgeInput,
    SealedRow,
    SealedRows,
    SignedCheckpoint,
)

LARGE_PAGE = 500


class EvidenceCalls(Calls):
    """What an auditor takes away."""

    def sealed_rows(
        self, after: str | None = None, limit: int | None = None, since: datetime | None = None
    ) -> SealedRows:
        """One page of the journal as it is sealed, oldest first; `since` is for the first page."""
        first = since.isoformat() if since is not None else None
        return self._connection.get(query("/audit/rows", after=after, limit=limit, since=first), SealedRows)

    def all_sealed_rows(self, since: datetime | None = None) -> Iterator[SealedRow]:
        for page in pages(lambda after: self.sealed_rows(after, LARGE_PAGE, None if after else since)):
            yield from page.items

    def checkpoints(self, after: str | None = None, limit: int | None = None) -> Checkpoints:
        """One page of the stored checkpoints, the smallest first."""
        return self._connection.get(query("/audit/checkpoints", after=after, limit=limit), Checkpoints)

    def all_checkpoints(self) -> Iterator[SignedCheckpoint]:
        for page in pages(self.checkpoints):
            yield from page.items

    def checkpoint(self) -> SignedCheckpoint:
        """The journal as it stands now, signed."""
        return self._connection.get("/audit/checkpoint", SignedCheckpoint)

    def acknowledge_fork(self, reason: str) -> Acknowledged:
        """Say why the database holds another history than the checkpoints that were shipped."""
        place = path("audit", "fork", "acknowledgement")
        return self._connection.send("POST", place, Acknowledged, Acknowledgement(reason))

    def evidence(self, id_: str) -> EvidenceFile:
        """Everything that is held of an exchange. Raises NotFound."""
        return self._connection.send("POST", path("requests", id_, "evidence"), EvidenceFile)

    def purge(self, *, dry_run: bool = False) -> Purged:
        """Remove bodies past their retention, some exchanges at a time, or only count them."""
        return self._connection.send("POST", "/purge", Purged, PurgeInput(dry_run))
