"""What is said to a message that arrived: the receipt, or the refusal; both are bodies that a face signs."""

from datetime import datetime

from acmx.domain.documents import encode
from acmx.domain.errors import AcmxError, FaultyInput
from acmx.domain.messages import PROBLEM, VERSION, Receipt, Refusal, Status
from acmx.domain.moments import to_ms, whole
from acmx.flows.acm2.arrivals import Arrived
from acmx.flows.exchange.outgoing import keep
from acmx.flows.house import House
from acmx.storage import journal
from acmx.storage.engine import Tx
from acmx.storage.exchange import messages
from acmx.storage.exchange.messages import Stored


def receipt(house: House, arrived: Arrived, status: Status, at: datetime) -> bytes:
    return encode(
        Receipt(
            version=VERSION,
            exchange=arrived.id,
            n=arrived.n,
            sender=house.system,
            receiver=arrived.peer,
            created_at=at,
            digest=arrived.digest,
            status=status,
        )
    )


def problem(house: House, arrived: Arrived, error: AcmxError, at: datetime) -> Refusal:
    """What the partner learns of an error: never a rule of this house."""
    members = error.members
    faults = error.faults[:20] if isinstance(error, FaultyInput) else []
    return Refusal(
        type=PROBLEM + error.type,
        title=error.title(),
        status=error.status,
        detail=error.detail[:500],
        version=VERSION,
        exchange=arrived.id,
        n=arrived.n,
        sender=house.system,
        receiver=arrived.peer,
        created_at=at,
        digest=arrived.digest,
        final=error.final,
        held=_text_or_none(members.get("held")),
        signed_at=_text_or_none(members.get("signed_at")),
        received_at=_text_or_none(members.get("received_at")),
        faults=[{"field": f.field, "value": f.value[:255], "rule": f.rule} for f in faults],
    )


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)


def taken(arrived: Arrived, type_: str, reply: bytes, at: int) -> Stored:
    return Stored(
        primary_system=arrived.primary,
        id=arrived.id,
        sender=arrived.peer,
        n=arrived.n,
        type=type_,
        digest=arrived.digest,
        body=arrived.body,
        signature=arrived.signature,
        stored_at=at,
        reply=reply,
    )


def keep_refusal(
    house: House, tx: Tx, arrived: Arrived, error: AcmxError, *, journalled: bool = True
) -> bytes:
    """Audit a refusal, and keep it with its message if it is final. The reply's body; the first final one stands.

    `journalled`: with a row of its own; otherwise it is counted elsewhere.
    """
    now = whole(house.clock())
    reply = encode(problem(house, arrived, error, now))
    if error.final:
        held = messages.at(tx, arrived.primary, arrived.id, arrived.peer, arrived.n)
        if held is not None and held.digest == arrived.digest and held.reply is not None:
            return held.reply
        keep(tx, taken(arrived, "refused", reply, to_ms(now)))
    if not journalled:
        return reply
    journal.write(
        tx,
        to_ms(now),
        "refused",
        arrived.peer,
        primary=arrived.primary,
        id_=arrived.id,
        type=error.type,
        n=arrived.n,
        digest=arrived.digest,
        final=error.final,
        detail=error.detail[:200],
    )
    return reply
