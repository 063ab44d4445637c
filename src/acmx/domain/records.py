"""What is proven afterwards (docs/evidence.md): sealed rows, checkpoints, the evidence of one exchange; and purging."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from acmx.domain.exchange import Role
from acmx.domain.messages import Moment
from acmx.domain.partnership import PublishedKey


class Checkpoint(Struct, frozen=True, tag_field="type", tag="checkpoint"):
    """The journal of a system as it stood: how many rows, and the root of the tree over them (hexadecimal)."""

    version: str
    system: str
    size: Annotated[int, Meta(le=2**53)]
    root: Annotated[str, Meta(min_length=64, max_length=64, pattern="^[0-9a-f]*$")]
    created_at: Moment


class SignedCheckpoint(Struct, frozen=True, forbid_unknown_fields=True):
    """A checkpoint as text, byte for byte, its signature (ACM-Signature) and the key that made it."""

    checkpoint: str
    signature: str
    key: PublishedKey


class SealedRow(Struct, frozen=True):
    """A row of the journal as it is sealed: `line` is what is hashed, byte for byte.

    `number` and `hash` (hexadecimal) are None for the second until it is sealed.
    """

    serial: int
    number: int | None
    hash: str | None
    line: str


class SealedRows(Struct, frozen=True, omit_defaults=True):
    """A page of the journal, oldest first."""

    items: list[SealedRow]
    next: str | None = None


class Checkpoints(Struct, frozen=True, omit_defaults=True):
    """A page of the stored checkpoints, the smallest first."""

    items: list[SignedCheckpoint]
    next: str | None = None


class HeldMetadata(Struct, frozen=True):
    """Everything that a system said of itself while the two were partners: metadata as text, oldest first."""

    system: str
    metadata: tuple[str, ...]


class SignedMessage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message and the receiver's word on it, with their signatures; without a body once that is purged."""

    sender: str
    receiver: str
    n: int
    type: str
    digest: str
    stored_at: Moment
    body: str | None = None
    body_base64: str | None = None
    signature: str | None = None
    reply: str | None = None
    reply_signature: str | None = None
    contradicted: bool = False


class ProvenRow(Struct, frozen=True):
    """A row of the journal and its way to the root of the checkpoint (hexadecimal, from the leaf up)."""

    number: int
    line: str
    proof: tuple[str, ...]


class Evidence(Struct, frozen=True, kw_only=True):
    """Everything that one system holds of one exchange."""

    version: str
    acmx: str
    system: str
    partner: str
    role: Role
    primary: str
    exchange: str
    state: str
    made_at: Moment
    made_by: str
    metadata: tuple[HeldMetadata, ...]
    messages: tuple[SignedMessage, ...]
    journal: tuple[ProvenRow, ...]
    checkpoint: SignedCheckpoint
    type: Literal["evidence"] = "evidence"


class EvidenceFile(Struct, frozen=True, forbid_unknown_fields=True):
    """Evidence, and the signature of the system that made it over its canonical JSON (RFC 8785)."""

    evidence: Evidence
    signature: str


class PurgeInput(Struct, frozen=True, forbid_unknown_fields=True):
    """`dry_run`: only count."""

    dry_run: bool = False


class Purged(Struct, frozen=True):
    """What a purge removed, or would remove, of what ended before then; `more`: call again."""

    before: Moment
    exchanges: int
    messages: int
    notices: int
    rows: int
    more: bool
