"""What the evidence of an exchange proves, and by whose signature: from the file alone, without server or database."""

from base64 import b64decode
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from acmx.domain.acm1 import Finding
from acmx.domain.documents import convert, parse
from acmx.domain.errors import AcmxError, BadSignature
from acmx.domain.findings import failed, ok, warning
from acmx.domain.messages import PROBLEM
from acmx.domain.moments import from_ms, text
from acmx.domain.partnership import Metadata
from acmx.domain.records import Checkpoint, Evidence, EvidenceFile, HeldMetadata, ProvenRow, SignedMessage
from acmx.trust.keys import VerifyKey, is_among, public_key, spoken
from acmx.trust.sealing import read_checkpoint
from acmx.trust.signatures import ALWAYS, Typ, body_digest, verify
from acmx.trust.tree import leaf, proven_root

Keys = Mapping[str, VerifyKey]


class _Said(Struct, frozen=True):
    """What every body and reply says of its place."""

    type: str
    exchange: str
    n: int
    sender: str = msgspec.field(name="from")
    receiver: str = msgspec.field(name="to")
    digest: str | None = None
    status: str | int | None = None
    created_at: str = ""
    answers: str | None = None


class _Line(Struct, frozen=True):
    number: int
    event: str
    primary: str
    exchange: str


def canonical(document: Any) -> bytes:
    """Its JSON with sorted members and without spaces (RFC 8785, of text, whole numbers, true, false and null)."""
    return msgspec.json.encode(document, order="sorted")


def check(body: bytes, thumbprints: Collection[str] = ()) -> list[Finding]:
    """Every statement of the file with what stands for it. `thumbprints`: the keys that may have signed (`is_among`).

    Raises FaultyInput where it is no evidence.
    """
    document = parse(body)
    file = convert(document, EvidenceFile)
    return list(_Check(file, document["evidence"], frozenset(thumbprints)).findings())


class _Check:
    def __init__(self, file: EvidenceFile, document: Any, thumbprints: frozenset[str]) -> None:
        self._file = file
        self._document = document
        self._evidence: Evidence = file.evidence
        self._thumbprints = thumbprints
        self._used: dict[str, str] = {}
        self._keys: dict[str, Keys] = {}

    def findings(self) -> Iterator[Finding]:
        evidence = self._evidence
        yield from self._read_metadata(evidence.metadata)
        yield self._whole()
        for message in evidence.messages:
            yield from self._message(message)
        yield from self._journal()
        yield from self._signers()

    def _read_metadata(self, held: tuple[HeldMetadata, ...]) -> Iterator[Finding]:
        for one in held:
            try:
                self._keys[one.system] = _keys_of(one)
            except (AcmxError, ValueError) as error:
                yield failed(f"metadata of {one.system}", f"cannot be read: {error}")

    def _verify(
        self, signature: str | None, body: bytes, signer: str, aud: str, typ: Typ, n: int | None
    ) -> int:
        """When it was signed, seconds since 1970. Raises BadSignature."""
        evidence = self._evidence
        exchange = f"{evidence.primary}/{evidence.exchange}" if n else None
        keys = self._keys.get(signer, {})
        seal = verify(signature, body, keys, iss=signer, aud=aud, typ=typ, exchange=exchange, n=n, now=ALWAYS)
        self._used[seal.kid] = signer
        return seal.iat

    def _whole(self) -> Finding:
        evidence = self._evidence
        system = evidence.system
        try:
            content = canonical(self._document)
            self._verify(self._file.signature, content, system, system, "acm-evidence", None)
        except (AcmxError, ValueError, OverflowError, TypeError) as error:
            return failed("this file", f"was changed after {system} made it, or was not made by it: {error}")
        return ok(
            "this file",
            f"made by {evidence.made_by} at {system} on {text(evidence.made_at)} with acmx {evidence.acmx}, "
            f"signed by {system}, unchanged: exchange {evidence.primary}/{evidence.exchange}, "
            f"{evidence.state} there, with {evidence.partner}",
        )

    def _message(self, message: SignedMessage) -> Iterator[Finding]:
        name = f"{message.type} {message.n} of {message.sender}"
        try:
            yield self._body(name, message)
        except (AcmxError, ValueError) as error:
            yield failed(name, f"is not proven: {error}")
        if message.contradicted:
            return
        name = f"reply to {name}"
        try:
            yield self._reply(name, message)
        except (AcmxError, ValueError) as error:
            yield failed(name, f"is not proven: {error}")

    def _body(self, name: str, message: SignedMessage) -> Finding:
        if {message.sender, message.receiver} != {self._evidence.system, self._evidence.partner}:
            raise BadSignature("it is not between these two systems")
        body = _bytes_of(message)
        if body is None:
            return warning(
                name, f"its body was removed at the end of its retention; its digest is {message.digest}"
            )
        if body_digest(body) != message.digest:
            raise BadSignature("the body does not have the digest that is stated")
        signed_at = self._verify(
            message.signature, body, message.sender, message.receiver, "acm-message", message.n
        )
        answers = ""
        if message.type != "refused":
            said = self._fits(body, message, message.sender, message.receiver)
            if said.type != message.type:
                raise BadSignature(f"it is a {said.type}")
            answers = self._answers(said)
        stands = ", contradicted by an earlier one" if message.contradicted else ""
        if message.sender == self._evidence.system:
            return ok(
                name,
                f"as {message.sender} states in this file{stands}{answers}; what counts is the reply to it",
            )
        return ok(name, f"written and signed by {message.sender} on {_time(signed_at)}{stands}{answers}")

    def _answers(self, said: _Said) -> str:
        """Which question an answer is to: those that cross in between change nothing of it."""
        if said.type != "answer":
            return ""
        asked = (
            one for one in self._evidence.messages if (one.type, one.digest) == ("question", said.answers)
        )
        question = next(asked, None)
        return (
            f", to question {question.n} of {question.sender}"
            if question
            else ", to no question in this file"
        )

    def _reply(self, name: str, message: SignedMessage) -> Finding:
        if message.reply is None:
            return warning(name, f"{message.receiver} has not given its word on it")
        body = message.reply.encode()
        said = self._fits(body, message, message.receiver, message.sender)
        if said.digest != message.digest:
            raise BadSignature("the reply speaks of another body")
        typ: Typ = "acm-receipt" if said.type == "receipt" else "acm-refusal"
        signed_at = self._verify(
            message.reply_signature, body, message.receiver, message.sender, typ, message.n
        )
        refused = f"refuses it: {said.type.removeprefix(PROBLEM)}"
        word = f"has it: {said.status}" if typ == "acm-receipt" else refused
        when = f"said on {said.created_at}, signed {_time(signed_at)}"
        return ok(name, f"{message.receiver} {word} ({when})")

    def _fits(self, body: bytes, message: SignedMessage, sender: str, receiver: str) -> _Said:
        said = msgspec.json.decode(body, type=_Said)
        place = (self._evidence.exchange, message.n, sender, receiver)
        if (said.exchange, said.n, said.sender, said.receiver) != place:
            raise BadSignature("it belongs to another place")
        return said

    def _journal(self) -> Iterator[Finding]:
        evidence = self._evidence
        system = evidence.system
        try:
            checkpoint = read_checkpoint(evidence.checkpoint, self._keys.get(system, {}))
        except AcmxError as error:
            yield failed("checkpoint", f"is not proven: {error}")
            return
        self._used[evidence.checkpoint.key.kid] = system
        if checkpoint.system != system:
            yield failed("checkpoint", f"is one of {checkpoint.system}")
            return
        wrong = [row.number for row in evidence.journal if not self._proven(row, checkpoint)]
        if wrong:
            yield failed(
                "journal",
                f"rows {', '.join(map(str, wrong))} are not in the journal as {system} sealed it",
            )
            return
        yield ok(
            "journal",
            f"{len(evidence.journal)} rows of this exchange stand in the journal of {system} as it was sealed and "
            f"signed on {text(checkpoint.created_at)}: {checkpoint.size:,} rows, root {checkpoint.root}",
        )

    def _proven(self, row: ProvenRow, checkpoint: Checkpoint) -> bool:
        try:
            line = msgspec.json.decode(row.line, type=_Line)
            beside = [bytes.fromhex(hash_) for hash_ in row.proof]
        except ValueError:
            return False
        place = (row.number, self._evidence.primary, self._evidence.exchange)
        if (line.number, line.primary, line.exchange) != place or not 1 <= row.number <= checkpoint.size:
            return False
        root = proven_root(leaf(row.line.encode()), row.number, checkpoint.size, beside)
        return root is not None and root.hex() == checkpoint.root

    def _signers(self) -> Iterator[Finding]:
        for kid, system in self._used.items():
            digits = spoken(kid)
            if is_among(kid, self._thumbprints):
                yield ok("key", f"{system} signed with the expected key {kid}")
            elif self._thumbprints:
                yield failed(
                    "key", f"{system} signed with {kid}, which is none of the expected keys: {digits}"
                )
            else:
                yield warning("key", f"compare with what {system} says by another way: {digits} ({kid})")


def _keys_of(held: HeldMetadata) -> dict[str, VerifyKey]:
    """Every key that the system ever named; of its ends the earliest one counts. Raises AcmxError, ValueError."""
    found: dict[str, VerifyKey] = {}
    for body in held.metadata:
        metadata = msgspec.json.decode(body, type=Metadata)
        if metadata.system != held.system:
            raise BadSignature(f"it is that of {metadata.system}")
        for key in metadata.keys:
            ends = int(key.ends_at.timestamp()) if key.ends_at else None
            before = found[key.kid].ends if key.kid in found else None
            stated = [end for end in (ends, before) if end is not None]
            jwk = {"kty": key.kty, "crv": key.crv, "x": key.x, "kid": key.kid}
            found[key.kid] = public_key(jwk, min(stated, default=None))
    return found


def _bytes_of(message: SignedMessage) -> bytes | None:
    """Raises ValueError."""
    if message.body_base64 is not None:
        return b64decode(message.body_base64, validate=True)
    return message.body.encode() if message.body is not None else None


def _time(seconds: int) -> str:
    return text(from_ms(seconds * 1000))
