"""A kind that nobody has written a rule or terms for: what holds for kinds that are still to come is proved with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from acmx.domain.acm1 import Service
from acmx.domain.errors import FaultyInput
from acmx.domain.exchange import Role
from acmx.domain.faults import Fault
from acmx.domain.messages import Request, Response
from acmx.domain.policy_facts import PolicyFact
from acmx.flows.policy import read_policy
from acmx.kinds import KINDS
from acmx.kinds.catalogue import Given, Held

SERVICE: tuple[Service, ...] = ("mcptt",)


class MadeUp:
    """It is asked for with a colour, which policy may look at, and which the partner is told."""

    NAME = "made-up"
    VERSIONS: tuple[str, ...] = ("1.0",)
    GIVER: Role = "partner"
    DISCLOSES = True
    FACTS: tuple[PolicyFact, ...] = (PolicyFact("colour", "String", "", "which", "`content`", "red"),)

    def validate_submission(self, content: dict[str, Any]) -> None:
        self.validate_request(content, FaultyInput)

    def content_of_request(self, submitted: dict[str, Any], held: Held | None) -> dict[str, Any]:
        del held
        return submitted

    def validate_request(self, content: dict[str, Any], error: type[FaultyInput]) -> None:
        if content.keys() - {"colour"}:
            raise error([Fault("content", "", "must be a colour")])

    def facts(self, request: Request) -> dict[str, Any]:
        return {"colour": request.content.get("colour", "red")}

    def disclosed(self, request: Request, held: Held | None) -> dict[str, Any]:
        del request, held
        return {}

    def same(self, told: dict[str, Any], given: dict[str, Any]) -> bool:
        return told == given

    def validate_response(self, request: Request, response: Response, error: type[FaultyInput]) -> None:
        pass

    def given(self, request: Request, answer: dict[str, Any]) -> Given | None:
        del request, answer


MADE_UP = MadeUp()


@contextmanager
def registered() -> Iterator[None]:
    """The register holds it meanwhile, and no policy is read as it was without it."""
    read_policy.stored.cache_clear()
    with patch.dict(KINDS, {MADE_UP.NAME: MADE_UP}):  # type: ignore[arg-type]
        yield
    read_policy.stored.cache_clear()
