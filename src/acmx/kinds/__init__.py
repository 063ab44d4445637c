"""What can be exchanged: one pure module a kind, and the register of them.

A kind's module has the functions of `Kind`; a new kind is a new file and a line in `_MODULES`.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from acmx.domain.errors import FaultyInput, UnsupportedKind
from acmx.domain.exchange import Role
from acmx.domain.messages import Request, Response
from acmx.domain.partnership import SupportedKind
from acmx.domain.policy_facts import PolicyFact
from acmx.kinds import server_identity, server_identity_provision
from acmx.kinds.catalogue import Given, Held


class Kind(Protocol):
    """What the flows need of a kind.

    `GIVER` is whose configuration travels: the partner's in its response, or, unasked, the primary's in its request;
    that one names no users, and is accepted or declined whole. `DISCLOSES`: whether its request tells the partner
    something that a policy may withhold; whom it is asked for does not count. `FACTS`: what policy may look at besides
    the facts of every request.
    """

    NAME: str
    VERSIONS: tuple[str, ...]
    GIVER: Role
    DISCLOSES: bool
    FACTS: tuple[PolicyFact, ...]

    def validate_submission(self, content: dict[str, Any]) -> None:
        """Raises FaultyInput where what an ACM client submits breaks the rules of the kind."""

    def content_of_request(self, submitted: dict[str, Any], held: Held | None) -> dict[str, Any]:
        """What the request carries; `held` where the primary gives.

        Raises FaultyInput; Incomplete where there is nothing fit to be given.
        """

    def validate_request(self, content: dict[str, Any], error: type[FaultyInput]) -> None:
        """Raises `error` where the content of a request breaks the rules of the kind."""

    def facts(self, request: Request) -> dict[str, Any]:
        """The values of `FACTS`."""

    def disclosed(self, request: Request, held: Held | None) -> dict[str, Any]:
        """What an approval gives away. Raises Incomplete where there is nothing fit to be given."""

    def same(self, told: dict[str, Any], given: dict[str, Any]) -> bool:
        """Whether two contents of a response say the same; then no update is sent."""

    def validate_response(self, request: Request, response: Response, error: type[FaultyInput]) -> None:
        """Raises `error` where the content of an approving response breaks the rules of the kind."""

    def given(self, request: Request, answer: dict[str, Any]) -> Given | None:
        """What the giver gives with its request, or with what stands of the answer; None where it gives nothing."""


_MODULES: tuple[Kind, ...] = (server_identity, server_identity_provision)
KINDS: Mapping[str, Kind] = {kind.NAME: kind for kind in _MODULES}
SUPPORTED = tuple(SupportedKind(kind.NAME, kind.VERSIONS) for kind in _MODULES)
GIVING = tuple(kind.NAME for kind in _MODULES if kind.GIVER == "primary")
"""The kinds in which the primary gives, unasked."""
FORMER = ("server-identity", "server-identity-provision")
"""The kinds that there were when no rule of a policy had to name the kind that it approves."""


def kind_named(name: str) -> Kind:
    """Raises UnsupportedKind."""
    try:
        return KINDS[name]
    except KeyError:
        raise UnsupportedKind(f"{name!r} is not a kind that this system exchanges") from None
