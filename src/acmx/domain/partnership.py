"""What two systems say of themselves and of their partnership (docs/protocol.md, section 4)."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from acmx.domain.identities import Realms
from acmx.domain.messages import Line, Moment, Short

Standing = Literal["offered", "accepted", "suspended", "removed"]
Names = Annotated[tuple[Annotated[str, Meta(max_length=64)], ...], Meta(max_length=100)]


class PublishedKey(Struct, frozen=True, omit_defaults=True):
    """An Ed25519 verification key (RFC 8037 JWK members); `ends_at` once it is being replaced."""

    kid: str
    x: str
    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"
    ends_at: Moment | None = None


class SupportedKind(Struct, frozen=True):
    """A kind of administrative configuration that a system exchanges, with the versions it speaks."""

    kind: str
    versions: tuple[str, ...]


class Metadata(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="metadata"):
    """What a system says of itself. `address` is the base URL of its ACM-2 listener.

    `created_at` is when it last changed; absent as it was first set up.
    """

    version: str
    system: Short
    name: Short
    address: Short
    contact: str = ""
    keys: Annotated[tuple[PublishedKey, ...], Meta(min_length=1)]
    certificates: Annotated[tuple[str, ...], Meta(min_length=1)]
    realms: Realms
    kinds: tuple[SupportedKind, ...]
    versions: tuple[str, ...]
    created_at: Moment | None = None


class PartnerFile(Struct, frozen=True):
    """What people hand over out of band: the metadata as text, byte for byte, and its own signature."""

    metadata: str
    signature: str


class Statement(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="partnership"):
    """What the sender says of the partnership now; the reply is the receiver's own statement."""

    version: str
    sender: Short = field(name="from")
    receiver: Short = field(name="to")
    created_at: Moment
    state: Standing
    reason: Line | None = None
    metadata_digest: str
    versions: tuple[str, ...]
    your_keys: Names | None = None
    your_certificates: Names | None = None
