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
from acmx.storage import journal, notices
from acmx.storage.engine import Tx
from acmx.storage.partnership import partners
from acmx.storage.partnership.partners import Partner
from acmx.trust.pinned import Pinned


def statement(
    house: House,
    peer: Pinned,
    at: datetime,
    state: Standing,
    metadata_digest: str,
    reason: str | None = None,
) -> bytes:
    """What this system says now to the system that `peer` is pinned of."""
    keys = [kid for kid, key in peer.keys.items() if key.ends is None or key.ends > at.timestamp()]
    return encode(
        Statement(
            version=VERSION,
            sender=house.system,
            receiver=peer.metadata.system,
            created_at=at,
            state=state,
            reason=reason,
            metadata_digest=metadata_digest,
            versions=(VERSION,),
            your_keys=tuple(sorted(keys)),
            your_certificates=tuple(sorted(peer.fingerprints)),
        )
    )


def hear(tx: Tx, statement: Statement, at: int) -> Partner:
    """Their statement takes effect, unless a newer one did. `at` in milliseconds. Raises NotFound."""
    partner = partners.find(tx, statement.sender)
    if partner is None:
        raise NotFound
    stated_at = to_ms(statement.created_at)
    if stated_at < partner.stated_at:
        return partner
    said = msgspec.structs.replace(
        partner,
        state_there=statement.state,
        reason_there=statement.reason,
        metadata_stated=statement.metadata_digest,
        keys_there=_names(statement.your_keys),
        certificates_there=_names(statement.your_certificates),
    )
    if said == partner:
        return partner
    said = msgspec.structs.replace(said, stated_at=stated_at)
    partners.replace(tx, said)
    if (said.state_there, said.reason_there) != (partner.state_there, partner.reason_there):
        journal.write(
            tx,
            at,
            "partnership-stated",
            partner.id,
            state=statement.state,
            before=partner.state_there,
            reason=statement.reason,
        )
        notices.put_partnership(tx, at, partner.id, PARTNERSHIP + statement.state, stated_at)
    return said


def greeted(tx: Tx, statement: Statement, at: int) -> Partner:
    """The partner called, so it can be reached: no back-off any longer. Raises NotFound."""
    partner = hear(tx, statement, at)
    if partner.next_attempt_at is not None:
        partner = msgspec.structs.replace(partner, next_attempt_at=None)
        partners.replace(tx, partner)
    return partner


def _names(names: tuple[str, ...] | None) -> str | None:
    return None if names is None else " ".join(names)
