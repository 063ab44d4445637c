"""Partner MC systems, and what waits for them."""

from collections.abc import Iterator

from acmx.client.calls import Calls
from acmx.client.pages import pages
from acmx.client.places import path, query
from acmx.domain.acm1 import (
    Acceptance,
    Approvals,
    Confirmation,
    Findings,
    OutboxPage,
    Partner,
    PartnerChange,
    Partners,
    QueuedMessage,
    Removal,
    Retried,
    Retry,
    Suspension,
    Terms,
)
from acmx.domain.partnership import PartnerFile


class PartnerCalls(Calls):
    """The partnerships and the links."""

    def partners(self) -> Partners:
        return self._connection.get("/partners", Partners)

    def partner(self, id_: str) -> Partner:
        return self._connection.get(path("partners", id_), Partner)

    def add_partner(self, file: PartnerFile) -> Partner:
        return self._connection.send("POST", "/partners", Partner, file)

    def accept_partner(self, id_: str, compared: Acceptance) -> Partner:
        """Raises NotAsCompared where something else is pinned by now."""
        return self._connection.send("POST", path("partners", id_, "acceptance"), Partner, compared)

    def suspend_partner(self, id_: str, reason: str | None = None) -> Partner:
        """The partner reads the reason."""
        return self._connection.send("POST", path("partners", id_, "suspension"), Partner, Suspension(reason))

    def resume_partner(self, id_: str) -> Partner:
        return self._connection.send("POST", path("partners", id_, "resumption"), Partner)

    def remove_partner(self, id_: str, reason: str) -> Partner:
        """The partner reads the reason. What is stored of the partner and of the exchanges with it stays."""
        return self._connection.send("POST", path("partners", id_, "removal"), Partner, Removal(reason))

    def set_terms(self, id_: str, terms: Terms) -> Partner:
        return self._connection.send("PUT", path("partners", id_, "terms"), Partner, terms)

    def compare_partner(self, id_: str) -> Partner:
        """The common exchanges are compared with the partner's as soon as the link allows."""
        return self._connection.send("POST", path("partners", id_, "comparison"), Partner)

    def partner_change(self, id_: str) -> PartnerChange:
        """What the partner has changed of itself and waits for a person. Raises NotFound."""
        return self._connection.get(path("partners", id_, "change"), PartnerChange)

    def confirm_change(self, id_: str, seen: str) -> Partner:
        """Take the change that was shown as `seen`. Raises NotFound, VersionsDiffer, NotAllowed."""
        place = path("partners", id_, "change", "confirmation")
        return self._connection.send("POST", place, Partner, Confirmation(seen))

    def set_approvals(self, id_: str, approvals: Approvals) -> Partner:
        """How many people must approve from now on, also of what is open. Raises NotFound, FaultyInput."""
        return self._connection.send("PUT", path("partners", id_, "approvals"), Partner, approvals)

    def partner_file(self) -> PartnerFile:
        """What this system hands to a partner."""
        return self._connection.get("/partner-file", PartnerFile)

    def outbox(
        self, after: str | None = None, limit: int | None = None, partner: str | None = None
    ) -> OutboxPage:
        """One page of the messages that wait for this partner, or for any, oldest first."""
        return self._connection.get(query("/outbox", after=after, limit=limit, partner=partner), OutboxPage)

    def all_outbox(self) -> Iterator[QueuedMessage]:
        for page in pages(self.outbox):
            yield from page.items

    def retry_now(self, *, partner: str | None = None, exchange: str | None = None) -> Retried:
        """Lift the back-off of a partner or an exchange, or with neither of everything."""
        return self._connection.send("POST", "/outbox/retry", Retried, Retry(partner, exchange))

    def check_partner(self, id_: str) -> Findings:
        """Takes up to half a minute."""
        return self._connection.send("POST", path("partners", id_, "check"), Findings)
