"""The kind `server-identity`: the partner is asked for its server identity information (3GPP TR 23.700-38)."""

from typing import Any

import msgspec

from acmx.domain.errors import FaultyInput
from acmx.domain.exchange import Role
from acmx.domain.faults import Fault
from acmx.domain.messages import Request, Response
from acmx.domain.policy_facts import PolicyFact
from acmx.kinds import catalogue
from acmx.kinds.catalogue import Given, Held, Wanted

NAME = "server-identity"
VERSIONS: tuple[str, ...] = ("1.0",)
GIVER: Role = "partner"
DISCLOSES = False
FACTS: tuple[PolicyFact, ...] = catalogue.FACTS


def validate_submission(content: dict[str, Any]) -> None:
    validate_request(content, FaultyInput)


def content_of_request(submitted: dict[str, Any], held: Held | None) -> dict[str, Any]:
    del held
    return submitted


def validate_request(content: dict[str, Any], error: type[FaultyInput]) -> None:
    catalogue.wanted(content, error)


def facts(request: Request) -> dict[str, Any]:
    return {"services": list(_wanted(request).services)}


def disclosed(request: Request, held: Held | None) -> dict[str, Any]:
    return catalogue.as_content(catalogue.chosen(held, _wanted(request).services))


def same(told: dict[str, Any], given: dict[str, Any]) -> bool:
    """The number of the version says nothing by itself."""
    one, other = (
        msgspec.json.encode({**content, "catalogue": 0}, order="sorted") for content in (told, given)
    )
    return one == other


def validate_response(request: Request, response: Response, error: type[FaultyInput]) -> None:
    given = catalogue.checked(response.content, error)
    if ungranted := set(given.services) - set(_wanted(request).services):
        raise error([Fault("content.services", ",".join(sorted(ungranted)), "was not asked for")])


def given(request: Request, answer: dict[str, Any]) -> Given | None:
    del request
    return msgspec.convert(answer, Given) if answer else None


def _wanted(request: Request) -> Wanted:
    return msgspec.convert(request.content, Wanted)
