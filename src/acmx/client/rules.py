"""Server identity information, and the policy."""

from acmx.client.calls import Calls
from acmx.client.places import path
from acmx.domain.acm1 import Identities, NewIdentities, Policy, PolicyInput


class RuleCalls(Calls):
    """What is disclosed, and what is answered automatically."""

    def identities(self, version: int | None = None) -> Identities:
        """The server identity information of this system: the current version, or the one named."""
        place = "/server-identities" if version is None else path("server-identities", str(version))
        return self._connection.get(place, Identities)

    def set_identities(self, identities: NewIdentities) -> Identities:
        """Raises FaultyInput with every fault, Incomplete."""
        return self._connection.send("PUT", "/server-identities", Identities, identities)

    def policy(self) -> Policy:
        return self._connection.get("/policy", Policy)

    def set_policy(self, text: str) -> Policy:
        """Raises FaultyInput; the policy that holds then stays."""
        return self._connection.send("PUT", "/policy", Policy, PolicyInput(text))

    def check_policy(self, text: str) -> Policy:
        """As `set_policy`, but changes nothing."""
        return self._connection.send("POST", "/policy/check", Policy, PolicyInput(text))
