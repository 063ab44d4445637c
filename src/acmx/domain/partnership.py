"""What two systems say of themselves and of their partnership (docs/protocol/partnership.md)."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from acmx.domain import meanings
from acmx.domain.identities import Realms
from acmx.domain.messages import Line, Moment, Short

Standing = Literal["offered", "accepted", "suspended", "removed"]
Names = Annotated[tuple[Annotated[str, Meta(max_length=64)], ...], Meta(max_length=100)]


class PublishedKey(Struct, frozen=True, omit_defaults=True):
    """An Ed25519 verification key (RFC 8037 JWK members); `ends_at` once it is being replaced."""

    kid: Annotated[
        str,
        Meta(
            description="thumbprint of the key (RFC 7638, SHA-256, base64url without padding, 43 characters)"
        ),
    ]
    x: Annotated[str, Meta(description="the public key: 32 bytes, base64url without padding")]
    kty: Annotated[Literal["OKP"], Meta(description="`OKP` where absent")] = "OKP"
    crv: Annotated[Literal["Ed25519"], Meta(description="`Ed25519` where absent")] = "Ed25519"
    ends_at: Annotated[Moment | None, Meta(description="the last moment at which it may sign")] = None


class SupportedKind(Struct, frozen=True):
    """A kind of administrative configuration that a system exchanges, with the versions it speaks."""

    kind: Annotated[str, Meta(description="name of the kind")]
    versions: Annotated[tuple[str, ...], Meta(description="its versions")]


class Metadata(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="metadata"):
    """What a system says of itself."""

    version: Annotated[str, meanings.VERSION]
    system: Annotated[Short, meanings.MC_SYSTEM_ID]
    name: Annotated[Short, meanings.ORGANISATION]
    address: Annotated[
        Short,
        Meta(description="base URL of its ACM-2 listener: `https://host` or `https://host:port`, no path"),
    ]
    contact: Annotated[str, meanings.CONTACT] = ""
    keys: Annotated[
        tuple[PublishedKey, ...], Meta(min_length=1, description="the keys that may sign for this system")
    ]
    certificates: Annotated[
        tuple[str, ...],
        Meta(
            min_length=1,
            description="PEM of each leaf certificate that its server shows on ACM-2, as client and as server: the "
            "current one, and the next",
        ),
    ]
    realms: Annotated[Realms, Meta(description="whose users are its own")]
    kinds: Annotated[tuple[SupportedKind, ...], Meta(description="the kinds it exchanges")]
    versions: Annotated[tuple[str, ...], Meta(description="the versions of ACM-2 it speaks; must hold `1.0`")]
    created_at: Annotated[
        Moment | None,
        Meta(
            description="when it last changed; absent as it was first set up. Later metadata has a later one"
        ),
    ] = None


class PartnerFile(Struct, frozen=True):
    """What people hand over out of band: the metadata as text, byte for byte, and its own signature."""

    metadata: Annotated[
        str, Meta(description="the metadata as text; its UTF-8 bytes are what is signed and pinned")
    ]
    signature: Annotated[
        str,
        Meta(
            description="an ACM-Signature value with `typ` `acm-metadata` and `iss` = `aud` = the system itself"
        ),
    ]


class Statement(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="partnership"):
    """What the sender says of the partnership now; the reply is the receiver's own statement."""

    version: Annotated[str, meanings.VERSION]
    sender: Annotated[Short, meanings.SENDER] = field(name="from")
    receiver: Annotated[Short, meanings.RECEIVER] = field(name="to")
    created_at: Annotated[
        Moment, Meta(description="when this was said; an older statement never replaces a newer one")
    ]
    state: Annotated[Standing, Meta(description="how the partnership stands at the sender")]
    reason: Annotated[
        Line | None,
        Meta(
            description="why it is suspended or removed, for the people of the receiver; no answer is expected"
        ),
    ] = None
    metadata_digest: Annotated[
        str,
        Meta(
            description="SHA-256 of the sender's metadata now, 64 hexadecimal digits "
            "(docs/protocol/partnership.md#changes)"
        ),
    ]
    versions: Annotated[tuple[str, ...], Meta(description="the versions of ACM-2 that the sender speaks")]
    your_keys: Annotated[
        Names | None,
        Meta(
            description="`kid` of each key of the receiver that the sender has pinned and that has not ended"
        ),
    ] = None
    your_certificates: Annotated[
        Names | None,
        Meta(
            description="SHA-256 of each certificate (DER) of the receiver that the sender has pinned, 64 hexadecimal"
            " digits"
        ),
    ] = None
