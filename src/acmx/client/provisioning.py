"""From answer to device."""

from collections.abc import Iterator

from acmx.client.calls import Calls
from acmx.client.pages import pages
from acmx.client.places import path, query
from acmx.domain.acm1 import (
    Documents,
    NewProvisioning,
    NewTemplate,
    Provisioning,
    ProvisioningRow,
    ProvisioningRows,
    Provisionings,
    RowState,
    Template,
)


class ProvisioningCalls(Calls):
    """Templates, documents, and the jobs that put them on the CMS."""

    def documents(self, id_: str, *, rel13: bool = False) -> Documents:
        """Raises NotFound, NotNow where nothing is granted, NotProvisionable with all that is missing."""
        place = query(path("requests", id_, "documents"), rel13="true" if rel13 else None)
        return self._connection.get(place, Documents)

    def template(self, partner: str) -> Template:
        """What is kept for the documents of a partner. Raises NotFound."""
        return self._connection.get(path("partners", partner, "template"), Template)

    def set_template(self, partner: str, template: NewTemplate) -> Template:
        """Raises NotFound, FaultyInput with every fault."""
        return self._connection.send("PUT", path("partners", partner, "template"), Template, template)

    def provision(self, id_: str, new: NewProvisioning) -> Provisioning:
        """Start a job at the CMS.

        Raises FaultyInput, NotFound, NotProvisionable, InvalidDocument, NotNow where nothing is granted, no CMS is
        configured, or another job of this exchange is under way.
        """
        return self._connection.send("POST", path("requests", id_, "provisionings"), Provisioning, new)

    def provisionings(self, id_: str) -> Provisionings:
        """The jobs of an exchange, newest first. Raises NotFound."""
        return self._connection.get(path("requests", id_, "provisionings"), Provisionings)

    def provisioning(self, job: str) -> Provisioning:
        """Raises NotFound."""
        return self._connection.get(path("provisionings", job), Provisioning)

    def provisioning_rows(
        self, job: str, state: RowState | None = None, after: str | None = None, limit: int | None = None
    ) -> ProvisioningRows:
        """One page of the documents of a job. Raises NotFound."""
        place = query(path("provisionings", job, "rows"), state=state, after=after, limit=limit)
        return self._connection.get(place, ProvisioningRows)

    def all_provisioning_rows(self, job: str, state: RowState | None = None) -> Iterator[ProvisioningRow]:
        for page in pages(lambda after: self.provisioning_rows(job, state, after)):
            yield from page.items

    def cancel_provisioning(self, job: str) -> Provisioning:
        """Raises NotFound, NotNow where it has ended."""
        return self._connection.send("POST", path("provisionings", job, "cancellation"), Provisioning)
