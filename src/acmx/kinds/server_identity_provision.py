"""The kind `server-identity-provision`: a system gives its server identity information without being asked.

It is requirement R-5.16.4-005, in the words of the group identity provision of TS 23.280, 10.17.4: whoever has
something tells it. Why it is as it is: docs/decisions/0015-giving-without-being-asked.md.
"""

from typing import Any

import msgspec

from acmx.domain.errors import FaultyInput, Incomplete
from acmx.domain.exchange import Role
from acmx.domain.faults import Fault
from acmx.domain.messages import Request, Response
from acmx.domain.policy_facts import PolicyFact
from acmx.kinds import catalogue
from acmx.kinds.catalogue import Given, Held

NAME = "server-identity-provision"
VERSIONS: tuple[str, ...] = ("1.0",)
GIVER: Role = "primary"
DISCLOSES = True
FACTS: tuple[PolicyFact, ...] = catalogue.FACTS


def validate_submission(content: dict[str, Any]) -> None:
    catalogue.wanted(content, FaultyInput)


def content_of_request(submitted: dict[str, Any], held: Held | None) -> dict[str, Any]:
    chosen = catalogue.chosen(held, catalogue.wanted(submitted, FaultyInput).services)
    if absent := [service for service in submitted.get("services", ()) if service not in chosen.services]:
        raise FaultyInput([Fault("content.services", ",".join(absent), "is not offered by this system")])
    if not chosen.services:
        raise Incomplete("the server identity information offers no MC service")
    return catalogue.as_content(chosen)


def validate_request(content: dict[str, Any], error: type[FaultyInput]) -> None:
    catalogue.named_once(catalogue.checked(content, error).services, error)


def facts(request: Request) -> dict[str, Any]:
    return {"services": list(_given(request).services)}


def disclosed(request: Request, held: Held | None) -> dict[str, Any]:
    del request, held
    return {}


def validate_response(request: Request, response: Response, error: type[FaultyInput]) -> None:
    del request
    if response.content:
        raise error([Fault("content", "", "must be empty: the request has given")])


def same(told: dict[str, Any], given: dict[str, Any]) -> bool:
    """A response gives nothing, so there is never an update."""
    del told, given
    return True


def given(request: Request, answer: dict[str, Any]) -> Given | None:
    del answer
    return _given(request) if "server_identity" in request.content else None


def _given(request: Request) -> Given:
    return msgspec.convert(request.content, Given)
