"""The kind `server-identity`: the application plane server identity information of the partner (3gpp.md, 2 and 5)."""

from typing import Any

import msgspec
from msgspec import Struct

from acmx.domain import server_identity
from acmx.domain.acm1 import Service
from acmx.domain.documents import convert
from acmx.domain.errors import Fault, FaultyInput, Incomplete
from acmx.domain.messages import Request, Response
from acmx.kinds.catalogue import Held

NAME = "server-identity"
VERSIONS: tuple[str, ...] = ("1.0",)
SERVICES: tuple[Service, ...] = ("mcptt", "mcvideo", "mcdata")


class Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a request: the MC services that the users need there."""

    services: tuple[Service, ...] = SERVICES


class Given(Struct, frozen=True, forbid_unknown_fields=True):
    """The content of an approving response: the server identities, their version, and what is known to be missing."""

    services: tuple[Service, ...]
    catalogue: int
    missing: tuple[str, ...]
    server_identity: dict[str, Any]


def validate_request(content: dict[str, Any], error: type[FaultyInput]) -> None:
    wanted = convert(content, Wanted, error, "content")
    if not wanted.services or len(set(wanted.services)) != len(wanted.services):
        raise error(
            [Fault("content.services", ",".join(wanted.services), "must name each wanted service once")]
        )


def facts(request: Request) -> dict[str, Any]:
    return {"services": list(_wanted(request).services)}


def disclosed(request: Request, held: Held | None) -> dict[str, Any]:
    if held is None:
        raise Incomplete("no server identity information has been entered: acmx identities set FILE")
    offered = [
        service for service in SERVICES if getattr(held.server_identity, f"{service}_server") is not None
    ]
    granted = [service for service in _wanted(request).services if service in offered]
    withheld = {f"{service}_server": None for service in SERVICES if service not in granted}
    given = Given(
        services=tuple(granted),
        catalogue=held.version,
        missing=held.missing,
        server_identity=msgspec.to_builtins(msgspec.structs.replace(held.server_identity, **withheld)),
    )
    document: dict[str, Any] = msgspec.to_builtins(given)
    return document


def same(told: dict[str, Any], given: dict[str, Any]) -> bool:
    """The number of the version says nothing by itself."""
    one, other = (
        msgspec.json.encode({**content, "catalogue": 0}, order="sorted") for content in (told, given)
    )
    return one == other


def validate_response(request: Request, response: Response, error: type[FaultyInput]) -> None:
    given = convert(response.content, Given, error, "content")
    ungranted = set(given.services) - set(_wanted(request).services)
    if ungranted:
        raise error([Fault("content.services", ",".join(sorted(ungranted)), "was not asked for")])
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


def _wanted(request: Request) -> Wanted:
    return msgspec.convert(request.content, Wanted)
