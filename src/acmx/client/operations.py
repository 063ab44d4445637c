"""How the server is, and what it did."""

from collections.abc import Iterator

from acmx.client.calls import Calls
from acmx.client.pages import pages
from acmx.client.places import query
from acmx.domain.acm1 import AuditPage, ClockStanding, Health, JournalEntry, NoticePage


class OperationCalls(Calls):
    """Health, audit log, notices."""

    def health(self) -> Health:
        return self._connection.get("/health", Health)

    def confirm_clock(self) -> ClockStanding:
        """The server's clock is right: what time decides is decided again."""
        return self._connection.send("POST", "/clock/confirmation", ClockStanding)

    def audit(self, after: str | None = None, limit: int | None = None) -> AuditPage:
        """One page of the journal, newest first."""
        return self._connection.get(query("/audit", after=after, limit=limit), AuditPage)

    def all_audit(self) -> Iterator[JournalEntry]:
        for page in pages(self.audit):
            yield from page.items

    def news(self, after: str | None = None, limit: int | None = None) -> NoticePage:
        """One page of what was told to the caller, newest first; without how it was sent."""
        return self._connection.get(query("/news", after=after, limit=limit), NoticePage)

    def notices(self, after: str | None = None, limit: int | None = None) -> NoticePage:
        """One page of what people were told, newest first."""
        return self._connection.get(query("/notices", after=after, limit=limit), NoticePage)
