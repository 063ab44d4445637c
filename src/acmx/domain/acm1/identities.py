"""Server identity information."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from acmx.domain import meanings
from acmx.domain.messages import Moment


class NewIdentities(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Server identity information to be entered."""

    server_identity: Annotated[dict[str, Any], meanings.SERVER_IDENTITY]
    incomplete: Annotated[bool, Meta(description="`true` admits missing required rows")] = False
    replaces: Annotated[
        int | None,
        Meta(description="the version that it follows: `versions-differ` where another is current"),
    ] = None


class Identities(Struct, frozen=True, omit_defaults=True):
    """A version of the server identity information of this system; 0 means that none was entered."""

    version: Annotated[int, Meta(description="1, 2, ...; 0: none was entered")]
    missing: Annotated[list[str], Meta(description="required rows that are absent")]
    server_identity: Annotated[dict[str, Any], meanings.SERVER_IDENTITY]
    entered_at: Annotated[Moment | None, meanings.ENTERED_AT] = None
    entered_by: Annotated[str | None, meanings.ENTERED_BY] = None


class Holder(Struct, frozen=True):
    """A partner, and the version that it holds by so many exchanges whose approval is live."""

    partner: Annotated[str, meanings.PARTNER]
    version: Annotated[int, Meta(description="of our server identity information")]
    exchanges: Annotated[int, Meta(description="by how many exchanges whose approval is live")]


class Holders(Struct, frozen=True):
    """Who holds which version, by partner; the newest first."""

    items: Annotated[
        list[Holder],
        Meta(description="by partner, the newest version first; what was given unasked is not among them"),
    ]
