"""A partner as people see it: what is pinned, where the partnership stands, the terms, and how the link is doing."""

from acmx.domain.acm1 import Approvals, PinnedCertificate, Terms, Threshold
from acmx.domain.acm1 import Partner as Shown
from acmx.domain.errors import NotFound
from acmx.domain.moments import from_ms
from acmx.storage.engine import Tx
from acmx.storage.exchange import outbox
from acmx.storage.partnership import partner_changes, partners, terms, thresholds
from acmx.storage.partnership.partners import Partner
from acmx.trust.certificates import fingerprint_of_pem, not_after
from acmx.trust.keys import spoken
from acmx.trust.pinned import pinned


def every(tx: Tx) -> list[Shown]:
    return [shown(tx, partner) for partner in partners.every(tx)]


def show(tx: Tx, id_: str) -> Shown:
    """Raises NotFound."""
    return shown(tx, known(tx, id_))


def known(tx: Tx, id_: str) -> Partner:
    """Raises NotFound."""
    partner = partners.find(tx, id_)
    if partner is None:
        raise NotFound(f"no partner {id_}")
    return partner


def shown(tx: Tx, partner: Partner) -> Shown:
    found = pinned(partner.metadata)
    metadata = found.metadata
    return Shown(
        id=partner.id,
        name=partner.name,
        state=standing(partner),
        state_here=partner.state_here,
        state_there=partner.state_there,
        reason_here=partner.reason_here,
        reason_there=partner.reason_there,
        told=partner.told == partner.state_here,
        seen=partner.metadata_digest,
        address=metadata.address,
        contact=metadata.contact,
        thumbprints=list(found.keys),
        spoken=[spoken(kid) for kid in found.keys],
        certificates=[
            PinnedCertificate(fingerprint_of_pem(pem), not_after(pem)) for pem in metadata.certificates
        ],
        hosts=list(metadata.realms.hosts),
        phone_contexts=list(metadata.realms.phone_contexts),
        tel_prefixes=list(metadata.realms.tel_prefixes),
        kinds=[kind.kind for kind in metadata.kinds],
        terms=_terms(terms.find(tx, partner.id)),
        waiting=outbox.count(tx, partner.id),
        last_success_at=from_ms(partner.last_success_at) if partner.last_success_at else None,
        last_error=partner.last_error,
        next_attempt_at=from_ms(partner.next_attempt_at) if partner.next_attempt_at else None,
        compared_at=from_ms(partner.compared_at) if partner.compared_at else None,
        comparison_due=partner.comparison_reason,
        comparison_error=partner.comparison_error,
        change_waits=partner_changes.waits(tx, partner),
        approvals=_approvals(tx, partner.id),
    )


def standing(partner: Partner) -> str:
    """Where the partnership stands, from both sides' words."""
    if partner.established:
        return "established"
    for word in ("removed", "suspended"):
        if word in (partner.state_here, partner.state_there):
            return word
    return "accepted here" if partner.state_here == "accepted" else "offered"


def _approvals(tx: Tx, id_: str) -> tuple[Approvals, ...]:
    by_kind: dict[str, dict[str, Threshold]] = {}
    for held in thresholds.of_partner(tx, id_):
        by_kind.setdefault(held.kind, {})[held.side] = Threshold(held.approvals, held.named)
    return tuple(Approvals(kind=kind, **sides) for kind, sides in by_kind.items())


def _terms(agreed: terms.Terms) -> Terms:
    return Terms(
        kinds=tuple(agreed.kinds.split()),
        askers=tuple(agreed.askers.split()),
        max_open=agreed.max_open,
        max_users=agreed.max_users,
        max_per_hour=agreed.max_per_hour,
        note=agreed.note,
        reprovision=bool(agreed.reprovision),
    )
