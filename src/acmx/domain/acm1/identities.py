"""Server identity information."""

from typing import Any

from msgspec import Struct

from acmx.domain.messages import Moment


class NewIdentities(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Server identity information to be entered; `incomplete` admits missing required rows, visibly.

    With `replaces` only while that version is the current one.
    """

    server_identity: dict[str, Any]
    incomplete: bool = False
    replaces: int | None = None


class Identities(Struct, frozen=True, omit_defaults=True):
    """A version of the server identity information of this system; 0 means that none was entered."""

    version: int
    missing: list[str]
    server_identity: dict[str, Any]
    entered_at: Moment | None = None
    entered_by: str | None = None


class Holder(Struct, frozen=True):
    """A partner, and the version that it holds by so many exchanges whose approval is live."""

    partner: str
    version: int
    exchanges: int


class Holders(Struct, frozen=True):
    """Who holds which version, by partner; the newest first."""

    items: list[Holder]
