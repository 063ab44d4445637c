"""What is proven afterwards (docs/evidence.md): sealed rows, checkpoints, the evidence of one exchange; and purging."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from acmx.domain import meanings
from acmx.domain.exchange import Role
from acmx.domain.messages import Moment
from acmx.domain.partnership import PublishedKey


class Checkpoint(Struct, frozen=True, tag_field="type", tag="checkpoint"):
    """The journal of a system as it stood: how many rows, and the root of the tree over them (hexadecimal)."""

    version: Annotated[str, meanings.VERSION]
    system: Annotated[str, meanings.MC_SYSTEM_ID]
    size: Annotated[int, Meta(le=2**53, description="how many rows of the journal it covers")]
    root: Annotated[
        str,
        Meta(
            min_length=64,
            max_length=64,
            pattern="^[0-9a-f]*$",
            description="root of the tree over them, 64 hexadecimal digits",
        ),
    ]
    created_at: Annotated[Moment, Meta(description="when it was made")]


class SignedCheckpoint(Struct, frozen=True, forbid_unknown_fields=True):
    """A checkpoint as text, byte for byte, its signature (ACM-Signature) and the key that made it."""

    checkpoint: Annotated[str, Meta(description="a Checkpoint as text, byte for byte as it is signed")]
    signature: Annotated[
        str,
        Meta(
            description="the ACM-Signature (docs/protocol/signature.md) of the system for itself, "
            "`typ` `acm-checkpoint`"
        ),
    ]
    key: Annotated[PublishedKey, Meta(description="the key that made it")]


class SealedRow(Struct, frozen=True):
    """A row of the journal as it is sealed."""

    serial: Annotated[int, Meta(description="where the row is stored")]
    number: Annotated[
        int | None, Meta(description="counted from 1 as it is sealed; null for the second until then")
    ]
    hash: Annotated[
        str | None,
        Meta(description="hash of the row as a leaf of the tree, 64 hexadecimal digits; null like `number`"),
    ]
    line: Annotated[
        str, Meta(description="the row as JSON, byte for byte as it is hashed (docs/evidence.md)")
    ]


class SealedRows(Struct, frozen=True, omit_defaults=True):
    """A page of the journal, oldest first."""

    items: Annotated[list[SealedRow], meanings.OLDEST_FIRST]
    next: Annotated[str | None, meanings.NEXT] = None


class Checkpoints(Struct, frozen=True, omit_defaults=True):
    """A page of the stored checkpoints, the smallest first."""

    items: Annotated[list[SignedCheckpoint], Meta(description="the smallest first")]
    next: Annotated[str | None, meanings.NEXT] = None


class HeldMetadata(Struct, frozen=True):
    """Everything that a system said of itself while the two were partners: metadata as text, oldest first."""

    system: Annotated[str, meanings.MC_SYSTEM_ID]
    metadata: Annotated[
        tuple[str, ...],
        Meta(
            description="the metadata (docs/protocol/partnership.md#metadata) as text, byte for byte, oldest first, "
            "with all keys that ever held"
        ),
    ]


class SignedMessage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message and the receiver's word on it, with their signatures; without a body once that is purged."""

    sender: Annotated[str, meanings.SENDER]
    receiver: Annotated[str, meanings.RECEIVER]
    n: Annotated[int, meanings.MESSAGE]
    type: Annotated[str, Meta(description="type of the message; `refused`: it was refused for good")]
    digest: Annotated[str, Meta(description="SHA-256 of the body, 64 hexadecimal digits")]
    stored_at: Annotated[Moment, Meta(description="when it was stored here")]
    body: Annotated[str | None, Meta(description="as text, byte for byte; absent once it was purged")] = None
    body_base64: Annotated[
        str | None, Meta(description="instead of `body` where that is not UTF-8, which is only ever refused")
    ] = None
    signature: Annotated[
        str | None, Meta(description="the sender's; this system signs its own messages anew")
    ] = None
    reply: Annotated[
        str | None, Meta(description="receipt or final refusal of the receiver, byte for byte")
    ] = None
    reply_signature: Annotated[
        str | None, Meta(description="the receiver's; this system signs its own replies anew")
    ] = None
    contradicted: Annotated[
        bool, Meta(description="`true`: another body took its place (docs/protocol/comparison.md)")
    ] = False


class ProvenRow(Struct, frozen=True):
    """A row of the journal and its way to the root of the checkpoint (hexadecimal, from the leaf up)."""

    number: Annotated[int, Meta(description="number of the row")]
    line: Annotated[str, Meta(description="the row as JSON, byte for byte as it is hashed")]
    proof: Annotated[
        tuple[str, ...],
        Meta(description="hashes from the leaf up to the root of the checkpoint (RFC 9162, 2.1.3)"),
    ]


class Evidence(Struct, frozen=True, kw_only=True):
    """Everything that one system holds of one exchange."""

    version: Annotated[str, meanings.VERSION]
    acmx: Annotated[str, Meta(description="version of the software")]
    system: Annotated[str, Meta(description="who made it: MC system ID")]
    partner: Annotated[str, Meta(description="the other system: MC system ID")]
    role: Annotated[Role, Meta(description="role of `system` in the exchange")]
    primary: Annotated[str, meanings.PRIMARY]
    exchange: Annotated[str, meanings.EXCHANGE]
    state: Annotated[str, Meta(description="state of the exchange at `system`")]
    made_at: Annotated[Moment, Meta(description="when it was made")]
    made_by: Annotated[str, Meta(description="MC service ID of who made it")]
    metadata: Annotated[tuple[HeldMetadata, ...], Meta(description="what both systems said of themselves")]
    messages: Annotated[tuple[SignedMessage, ...], Meta(description="the messages of both systems")]
    journal: Annotated[tuple[ProvenRow, ...], Meta(description="the rows of this exchange, in order")]
    checkpoint: Annotated[SignedCheckpoint, Meta(description="the one that `journal` is proven against")]
    type: Annotated[Literal["evidence"], Meta(description="`evidence`")] = "evidence"


class EvidenceFile(Struct, frozen=True, forbid_unknown_fields=True):
    """Evidence, and the signature of the system that made it over its canonical JSON (RFC 8785)."""

    evidence: Annotated[Evidence, Meta(description="what is stated")]
    signature: Annotated[
        str,
        Meta(
            description="the ACM-Signature (docs/protocol/signature.md) of `system` for itself, "
            "`typ` `acm-evidence`, over the canonical JSON "
            "(RFC 8785) of `evidence`"
        ),
    ]


class PurgeInput(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether what has reached the end of its retention is removed, or only counted."""

    dry_run: Annotated[bool, Meta(description="`true`: only count")] = False


class Purged(Struct, frozen=True):
    """What a purge removed, or would remove."""

    before: Annotated[Moment, Meta(description="the time before which all of it had ended")]
    exchanges: Annotated[int, Meta(description="how many exchanges")]
    messages: Annotated[int, Meta(description="how many bodies")]
    notices: Annotated[int, Meta(description="how many notices, with what was told of them")]
    rows: Annotated[int, Meta(description="how many rows of provisioning jobs")]
    more: Annotated[bool, Meta(description="`true`: there is more, call again")]
