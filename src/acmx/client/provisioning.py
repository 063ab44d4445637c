"""From answer to device."""

from acmx.client.calls import Calls
from acmx.client.places import path, query
from acmx.domain.acm1 import Documents, NewTemplate, Template


class ProvisioningCalls(Calls):
    """Templates and documents."""

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
