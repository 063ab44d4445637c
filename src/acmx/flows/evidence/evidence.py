"""The evidence of one exchange: all that is held of it, signed, with its rows of the journal and their proofs."""

from base64 import b64encode
from collections.abc import Iterator

import msgspec

import acmx
from acmx.domain.documents import encode
from acmx.domain.errors import NotNow
from acmx.domain.messages import VERSION
from acmx.domain.moments import from_ms, to_ms, whole
from acmx.domain.records import Evidence, EvidenceFile, HeldMetadata, ProvenRow, SignedMessage
from acmx.flows.evidence.prove import Prover
from acmx.flows.evidence.seal import line_of, signed
from acmx.flows.exchange.find import find
from acmx.flows.house import House
from acmx.flows.queries.access_log import TAKEN
from acmx.storage import journal, seals
from acmx.storage.engine import Tx
from acmx.storage.exchange import contradictions, messages
from acmx.storage.exchange.contradictions import Contradicted
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored
from acmx.storage.partnership import held_metadata
from acmx.trust.evidence_check import canonical
from acmx.trust.own import Own
from acmx.trust.roles import Caller
from acmx.trust.signatures import Typ


def note(house: House, tx: Tx, caller: Caller, name: str) -> None:
    """Raises NotFound."""
    exchange = find(tx, caller, name)
    journal.write(
        tx,
        to_ms(house.clock()),
        TAKEN,
        caller.mc_service_id,
        primary=exchange.primary_system,
        id_=exchange.id,
    )


def make(house: House, tx: Tx, own: Own, caller: Caller, name: str) -> EvidenceFile:
    """Raises NotFound, NotNow while nothing is sealed."""
    exchange = find(tx, caller, name)
    last = seals.last_checkpoint(tx)
    if last is None:
        raise NotNow("the journal is not sealed yet")
    now = whole(house.clock())
    evidence = Evidence(
        version=VERSION,
        acmx=acmx.__version__,
        system=own.system,
        partner=exchange.partner,
        role=exchange.role,
        primary=exchange.primary_system,
        exchange=exchange.id,
        state=str(exchange.state),
        made_at=now,
        made_by=caller.mc_service_id,
        metadata=tuple(_held(tx, system) for system in (own.system, exchange.partner)),
        messages=tuple(_messages(tx, own, exchange, to_ms(now) // 1000)),
        journal=tuple(_journal(tx, exchange, last.size)),
        checkpoint=signed(tx, own.system, last),
    )
    body = canonical(msgspec.json.decode(encode(evidence)))
    return EvidenceFile(evidence, own.sign(body, to=own.system, typ="acm-evidence", now=to_ms(now) // 1000))


def _held(tx: Tx, system: str) -> HeldMetadata:
    return HeldMetadata(system, tuple(body.decode() for body in held_metadata.of(tx, system)))


def _journal(tx: Tx, exchange: Exchange, size: int) -> Iterator[ProvenRow]:
    prover = Prover(tx, size)
    for row in seals.of_exchange(tx, exchange.primary_system, exchange.id, size):
        number = row.number or 0
        hashes = tuple(hash_.hex() for hash_ in prover.proof(number))
        yield ProvenRow(number, line_of(row, number).decode(), hashes)


def _messages(tx: Tx, own: Own, exchange: Exchange, now: int) -> Iterator[SignedMessage]:
    key = (exchange.primary_system, exchange.id)
    seal = _Seal(own, exchange, now)
    for stored in messages.of_exchange(tx, *key):
        yield seal.message(stored)
    for contradicted in contradictions.of_exchange(tx, *key):
        yield seal.contradicted(contradicted)


class _Seal:
    """Signs anew what this system sent and said; what the partner signed stays as it came."""

    def __init__(self, own: Own, exchange: Exchange, now: int) -> None:
        self._own = own
        self._partner = exchange.partner
        self._exchange = f"{exchange.primary_system}/{exchange.id}"
        self._now = now

    def message(self, stored: Stored) -> SignedMessage:
        reply = stored.reply
        is_receipt = reply is not None and msgspec.json.decode(reply)["type"] == "receipt"
        typ: Typ = "acm-receipt" if is_receipt else "acm-refusal"
        given = self._sign(reply, typ, stored.n) if reply and stored.sender != self._own.system else None
        return SignedMessage(
            sender=stored.sender,
            receiver=self._receiver(stored.sender),
            n=stored.n,
            type=stored.type,
            digest=stored.digest,
            stored_at=from_ms(stored.stored_at),
            body=_text(stored.body),
            body_base64=_base64(stored.body),
            signature=self._signature(stored),
            reply=reply.decode() if reply else None,
            reply_signature=stored.reply_signature or given,
        )

    def contradicted(self, kept: Contradicted) -> SignedMessage:
        return SignedMessage(
            sender=kept.sender,
            receiver=self._receiver(kept.sender),
            n=kept.n,
            type=kept.type,
            digest=kept.digest,
            stored_at=from_ms(kept.found_at),
            body=_text(kept.body),
            body_base64=_base64(kept.body),
            signature=self._signature(kept),
            contradicted=True,
        )

    def _receiver(self, sender: str) -> str:
        return self._partner if sender == self._own.system else self._own.system

    def _signature(self, stored: Stored | Contradicted) -> str | None:
        ours = stored.sender == self._own.system
        return self._sign(stored.body, "acm-message", stored.n) if ours and stored.body else stored.signature

    def _sign(self, body: bytes, typ: Typ, n: int) -> str:
        return self._own.sign(body, to=self._partner, typ=typ, now=self._now, exchange=self._exchange, n=n)


def _text(body: bytes) -> str | None:
    """None once it is purged, and of what was refused and is no text."""
    try:
        return body.decode() or None
    except UnicodeDecodeError:
        return None


def _base64(body: bytes) -> str | None:
    return b64encode(body).decode() if body and _text(body) is None else None
