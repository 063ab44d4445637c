"""What this system holds that a kind may give away."""

from msgspec import Struct

from acmx.domain.server_identity import ServerIdentity


class Held(Struct, frozen=True):
    """The current version of the server identity information; `missing` are absent required rows."""

    version: int
    server_identity: ServerIdentity
    missing: tuple[str, ...]
