"""Server identity information as a kind gives it away: what this system holds, what is chosen of it, and its check."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from acmx.domain import server_identity
from acmx.domain.acm1 import Service
from acmx.domain.documents import convert
from acmx.domain.errors import FaultyInput, Incomplete
from acmx.domain.faults import Fault
from acmx.domain.policy_facts import PolicyFact
from acmx.domain.server_identity import ServerIdentity

SERVICES: tuple[Service, ...] = ("mcptt", "mcvideo", "mcdata")
FACTS = (
    PolicyFact(
        "services",
        "Set<String>",
        "",
        "services wanted, or given: `mcptt`, `mcvideo`, `mcdata`",
        "`content` of the request; all three where it names none",
        ["mcptt", "mcdata"],
    ),
)


class Held(Struct, frozen=True):
    """The current version of the server identity information; `missing` are absent required rows."""

    version: int
    server_identity: ServerIdentity
    missing: tuple[str, ...]


class Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    """The MC services that it is wanted for."""

    services: Annotated[
        tuple[Service, ...], Meta(description="the MC services that it is for; absent: all three")
    ] = SERVICES


class Given(Struct, frozen=True, forbid_unknown_fields=True):
    """The server identities, for which services, their version, and what is known to be missing."""

    services: Annotated[tuple[Service, ...], Meta(description="the services that it is for; of those wanted")]
    catalogue: Annotated[
        int, Meta(description="number of the version of the server identity information that was disclosed")
    ]
    missing: Annotated[
        tuple[str, ...], Meta(description="required rows that are absent; both sides see them")
    ]
    server_identity: Annotated[
        dict[str, Any], Meta(description="the rows; see docs/protocol/kinds/server-identity.md#rows")
    ]


def wanted(content: dict[str, Any], error: type[FaultyInput]) -> Wanted:
    """Raises `error` where it does not name each service once."""
    found = convert(content, Wanted, error, "content")
    named_once(found.services, error)
    return found


def chosen(held: Held | None, services: tuple[Service, ...]) -> Given:
    """What of it is given for these services, as far as they are offered. Raises Incomplete where there is nothing."""
    if held is None:
        raise Incomplete("no server identity information has been entered: acmx identities set FILE")
    offered = [
        service for service in SERVICES if getattr(held.server_identity, f"{service}_server") is not None
    ]
    granted = [service for service in services if service in offered]
    withheld = {f"{service}_server": None for service in SERVICES if service not in granted}
    return Given(
        services=tuple(granted),
        catalogue=held.version,
        missing=held.missing,
        server_identity=msgspec.to_builtins(msgspec.structs.replace(held.server_identity, **withheld)),
    )


def as_content(given: Given) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(given)
    return document


def version_of(content: dict[str, Any]) -> int | None:
    """The version that the content of a response or update states; None where it gives nothing."""
    return content.get("catalogue")


def checked(content: dict[str, Any], error: type[FaultyInput]) -> Given:
    """Raises `error` with each faulty row, and where a required one is absent and not named as missing."""
    given = convert(content, Given, error, "content")
    try:
        identity = server_identity.read(given.server_identity)
    except FaultyInput as fault:
        raise error(
            [Fault(f"content.server_identity.{f.field}", f.value, f.rule) for f in fault.faults]
        ) from None
    absent = set(server_identity.missing(identity)) - set(given.missing)
    if absent and given.services:
        raise error(
            [Fault("content.missing", ",".join(sorted(absent)), "is missing and not named as missing")]
        )
    return given


def named_once(services: tuple[Service, ...], error: type[FaultyInput]) -> None:
    """Raises `error` where no service is named, or one twice."""
    if not services or len(set(services)) != len(services):
        raise error([Fault("content.services", ",".join(services), "must name each wanted service once")])
