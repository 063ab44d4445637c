"""What the members of the documents about the sealed journal, evidence and retention mean."""

from acmx.domain import records

RECORDS: dict[type, dict[str, str]] = {
    records.SealedRow: {
        "serial": "where the row is stored",
        "number": "counted from 1 as it is sealed; null for the second until then",
        "hash": "of the row as a leaf of the tree, 64 hexadecimal digits; null like `number`",
        "line": "the row as JSON, byte for byte as it is hashed ([evidence.md](evidence.md))",
    },
    records.SealedRows: {"items": "oldest first", "next": "see 8.3"},
    records.Checkpoint: {
        "version": "`1.0`",
        "system": "MC system ID",
        "size": "how many rows of the journal it covers",
        "root": "root of the tree over them, 64 hexadecimal digits",
        "created_at": "when",
    },
    records.SignedCheckpoint: {
        "checkpoint": "a Checkpoint as text, byte for byte as it is signed",
        "signature": "the ACM-Signature (5) of the system for itself, `typ` `acm-checkpoint`",
        "key": "the key that made it",
    },
    records.Checkpoints: {"items": "the smallest first", "next": "see 8.3"},
    records.HeldMetadata: {
        "system": "MC system ID",
        "metadata": "Metadata (4.1) as text, byte for byte, oldest first, with all keys that ever held",
    },
    records.SignedMessage: {
        "sender": "MC system ID",
        "receiver": "MC system ID",
        "n": "number of the message",
        "type": "of the message; `refused`: it was refused for good",
        "digest": "SHA-256 of the body, 64 hexadecimal digits",
        "stored_at": "when it was stored here",
        "body": "as text, byte for byte; absent once it was purged",
        "body_base64": "instead of `body` where that is not UTF-8, which is only ever refused",
        "signature": "the sender's; this system signs its own messages anew",
        "reply": "receipt or final refusal of the receiver, byte for byte",
        "reply_signature": "the receiver's; this system signs its own replies anew",
        "contradicted": "`true`: it lost its place to an earlier one (4.4)",
    },
    records.ProvenRow: {
        "number": "of the row",
        "line": "the row as JSON, byte for byte as it is hashed",
        "proof": "hashes from the leaf up to the root of the checkpoint (RFC 9162, 2.1.3)",
    },
    records.Evidence: {
        "type": "`evidence`",
        "version": "`1.0`",
        "acmx": "version of the software",
        "system": "who made it: MC system ID",
        "partner": "the other system",
        "role": "of `system` in the exchange",
        "primary": "MC system ID",
        "exchange": "id",
        "state": "of the exchange at `system`",
        "made_at": "when",
        "made_by": "MC service ID",
        "metadata": "of both systems",
        "messages": "of both systems",
        "journal": "the rows of this exchange, in order",
        "checkpoint": "the one that `journal` is proven against",
    },
    records.EvidenceFile: {
        "evidence": "what is stated",
        "signature": "the ACM-Signature (5) of `system` for itself, `typ` `acm-evidence`, over the canonical JSON (RFC "
        "8785) of `evidence`",
    },
    records.PurgeInput: {"dry_run": "`true`: only count"},
    records.Purged: {
        "before": "what ended before then",
        "exchanges": "how many",
        "messages": "how many bodies",
        "notices": "how many notices, with what was told of them",
        "rows": "how many rows of provisioning jobs",
        "more": "call again",
    },
}
