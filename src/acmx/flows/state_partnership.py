"""What the two systems tell each other of their partnership: statements, signed, the newest one stands."""

from datetime import datetime

import msgspec

from acmx.domain.documents import encode
from acmx.domain.errors import NotFound
from acmx.domain.messages import VERSION
from acmx.domain.moments import to_ms
from acmx.domain.partnership import Standing, Statement
from acmx.domain.telling import PARTNERSHIP
from acmx.flows.house import House
from acmx.storage import journal, notices, partners
from acmx.storage.engine import Tx
from acmx.storage.partners import Partner


def statement(
    house: House,
    to: str,
    state: Standing,
    metadata_digest: str,
    at: datetime,
    reason: str | None = None,
) -> bytes:
    """What this system says now."""
    return encode(
        Statement(
            version=VERSION,
            sender=house.system,
            receiver=to,
            created_at=at,
            state=state,
            reason=reason,
            metadata_digest=metadata_digest,
            versions=(VERSION,),
        )
    )


def hear(tx: Tx, statement: Statement, at: int) -> Partner:
    """Their statement takes effect, unless a newer one did. `at` in milliseconds. Raises NotFound."""
    partner = partners.find(tx, statement.sender)
    if partner is None:
        raise NotFound
    stated_at = to_ms(statement.created_at)
    said, before = (statement.state, statement.reason), (partner.state_there, partner.reason_there)
    if stated_at >= partner.stated_at and said != before:
        journal.write(
            tx,
            at,
            "partnership-stated",
            partner.id,
            state=statement.state,
            before=partner.state_there,
            reason=statement.reason,
        )
        partner = msgspec.structs.replace(
            partner, state_there=statement.state, reason_there=statement.reason, stated_at=stated_at
        )
        partners.replace(tx, partner)
        notices.put_partnership(tx, at, partner.id, PARTNERSHIP + statement.state, stated_at)
    return partner


def greeted(tx: Tx, statement: Statement, at: int) -> Partner:
    """The partner called, so it can be reached: no back-off any longer. Raises NotFound."""
    partner = hear(tx, statement, at)
    if partner.next_attempt_at is not None:
        partner = msgspec.structs.replace(partner, next_attempt_at=None)
        partners.replace(tx, partner)
    return partner
