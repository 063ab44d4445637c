"""Server identity information, and the policy."""

from acmx.client.calls import Calls
from acmx.client.pages import pages
from acmx.client.places import path, query
from acmx.domain.acm1 import (
    Explanation,
    Holders,
    Identities,
    NewIdentities,
    Policy,
    PolicyInput,
    Roles,
    Trial,
    TrialPage,
    Tried,
)

LONGEST_PAGE = 1000


class RuleCalls(Calls):
    """What is disclosed, and what is answered automatically."""

    def identities(self, version: int | None = None) -> Identities:
        """The server identity information of this system: the current version, or the one named."""
        place = "/server-identities" if version is None else path("server-identities", str(version))
        return self._connection.get(place, Identities)

    def set_identities(self, identities: NewIdentities) -> Identities:
        """Raises FaultyInput with every fault, Incomplete, VersionsDiffer."""
        return self._connection.send("PUT", "/server-identities", Identities, identities)

    def identity_holders(self) -> Holders:
        """Who holds which version by the approvals that hold."""
        return self._connection.get("/server-identities/holders", Holders)

    def policy(self) -> Policy:
        return self._connection.get("/policy", Policy)

    def set_policy(self, text: str) -> Policy:
        """Raises FaultyInput; the policy that holds then stays."""
        return self._connection.send("PUT", "/policy", Policy, PolicyInput(text))

    def check_policy(self, text: str) -> Policy:
        """As `set_policy`, but changes nothing."""
        return self._connection.send("POST", "/policy/check", Policy, PolicyInput(text))

    def try_policy(
        self, text: str, *, against: str | None = None, after: str | None = None, limit: int | None = None
    ) -> TrialPage:
        """What this policy would have said to one exchange, or to a page of those that have arrived, newest first.

        Raises FaultyInput; changes nothing.
        """
        place = query("/policy/trial", after=after, limit=limit)
        return self._connection.send("POST", place, TrialPage, Trial(text, against))

    def try_policy_on_last(self, text: str, count: int) -> list[Tried]:
        """As many of the requests that arrived last; fewer only where there are no more."""
        found: list[Tried] = []
        for page in pages(lambda after: self.try_policy(text, after=after, limit=min(count, LONGEST_PAGE))):
            found += page.items
            if len(found) >= count:
                break
        return found[:count]

    def explanation(self, id_: str) -> Explanation:
        """Who or what decided an exchange, and on what."""
        return self._connection.get(path("requests", id_, "explanation"), Explanation)

    def roles(self) -> Roles:
        """What each role may do."""
        return self._connection.get("/roles", Roles)
