"""People connect this system with a partner: add the file that was handed over, compare, accept, suspend, resume."""

import msgspec
from msgspec import Struct

from acmx.domain.acm1 import Approvals, Threshold
from acmx.domain.acm1 import Partner as Shown
from acmx.domain.errors import Fault, FaultyInput, NotFound, NotNow
from acmx.domain.identities import mc_system_id
from acmx.domain.moments import from_ms, to_ms
from acmx.domain.partnership import PartnerFile, Standing
from acmx.flows.house import House
from acmx.storage import journal, outbox, partner_changes, partners, thresholds
from acmx.storage.engine import Tx
from acmx.storage.partners import Partner
from acmx.trust.keys import spoken
from acmx.trust.pinned import pinned, read_partner_file
from acmx.trust.roles import Caller
from acmx.trust.signatures import body_digest

FROM: dict[Standing, tuple[Standing, ...]] = {
    "accepted": ("offered", "accepted", "suspended"),
    "suspended": ("accepted", "suspended"),
}


class Plan(Struct, frozen=True):
    """What the file says, and what is known of that partner already."""

    partner: Partner
    known: bool
    actor: str
    at: int


def prepare(house: House, tx: Tx, caller: Caller, file: PartnerFile) -> Plan:
    """Raises FaultyInput, BadSignature."""
    at = to_ms(house.clock())
    metadata, found = read_partner_file(file, at // 1000)
    system = mc_system_id(found.metadata.system)
    if system == house.system:
        raise FaultyInput([Fault("metadata", system, "is this system itself")])
    refuse_shared_certificates(tx, system, metadata)
    known = partners.find(tx, system)
    partner = Partner(
        id=system,
        name=found.metadata.name,
        state_here="offered",
        state_there=known.state_there if known else "offered",
        stated_at=known.stated_at if known else 0,
        metadata=metadata,
        metadata_digest=body_digest(metadata),
    )
    if known and known.metadata_digest == partner.metadata_digest:
        partner = known
    return Plan(partner, known is not None, caller.mc_service_id, at)


def apply(tx: Tx, plan: Plan) -> Shown:
    """What was pinned before is replaced, and has to be accepted anew."""
    if plan.known:
        partners.replace(tx, plan.partner)
        partner_changes.drop(tx, plan.partner.id)
    else:
        partners.insert(tx, plan.partner)
    journal.write(
        tx, plan.at, "partner-added", plan.actor, partner=plan.partner.id, digest=plan.partner.metadata_digest
    )
    return shown(tx, plan.partner)


def stand(house: House, tx: Tx, caller: Caller, id_: str, standing: Standing) -> Shown:
    """Accept, suspend or resume: what this system says of the partnership. Raises NotFound, NotNow."""
    partner = partners.find(tx, id_)
    if partner is None:
        raise NotFound(f"no partner {id_}")
    if partner.state_here not in FROM[standing]:
        raise NotNow(f"the partnership is {partner.state_here}: accept it first")
    changed = msgspec.structs.replace(partner, state_here=standing, next_attempt_at=None, failures=0)
    partners.replace(tx, changed)
    journal.write(tx, to_ms(house.clock()), f"partner-{standing}", caller.mc_service_id, partner=id_)
    return shown(tx, changed)


def compare(house: House, tx: Tx, caller: Caller, id_: str) -> Shown:
    """The common exchanges are compared as soon as the link allows. Raises NotFound."""
    if partners.find(tx, id_) is None:
        raise NotFound(f"no partner {id_}")
    now = to_ms(house.clock())
    partners.to_compare(tx, id_, now, "asked", not_within=0)
    journal.write(tx, now, "comparison-asked", caller.mc_service_id, partner=id_)
    return show(tx, id_)


def every(tx: Tx) -> list[Shown]:
    return [shown(tx, partner) for partner in partners.every(tx)]


def show(tx: Tx, id_: str) -> Shown:
    """Raises NotFound."""
    partner = partners.find(tx, id_)
    if partner is None:
        raise NotFound(f"no partner {id_}")
    return shown(tx, partner)


def shown(tx: Tx, partner: Partner) -> Shown:
    found = pinned(partner.metadata)
    metadata = found.metadata
    return Shown(
        id=partner.id,
        name=partner.name,
        state="established" if partner.established else _not_established(partner),
        state_here=partner.state_here,
        state_there=partner.state_there,
        address=metadata.address,
        contact=metadata.contact,
        thumbprints=list(found.keys),
        spoken=[spoken(kid) for kid in found.keys],
        hosts=list(metadata.realms.hosts),
        phone_contexts=list(metadata.realms.phone_contexts),
        tel_prefixes=list(metadata.realms.tel_prefixes),
        kinds=[kind.kind for kind in metadata.kinds],
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


def _approvals(tx: Tx, id_: str) -> tuple[Approvals, ...]:
    by_kind: dict[str, dict[str, Threshold]] = {}
    for held in thresholds.of_partner(tx, id_):
        by_kind.setdefault(held.kind, {})[held.side] = Threshold(held.approvals, held.named)
    return tuple(Approvals(kind=kind, **sides) for kind, sides in by_kind.items())


def _not_established(partner: Partner) -> str:
    if "suspended" in (partner.state_here, partner.state_there):
        return "suspended"
    return "accepted here" if partner.state_here == "accepted" else "offered"


def refuse_shared_certificates(tx: Tx, system: str, metadata: bytes) -> None:
    """A certificate or key names one partner only. Raises FaultyInput."""
    new = pinned(metadata)
    for other in partners.every(tx):
        held = pinned(other.metadata)
        if other.id != system and (
            held.fingerprints & new.fingerprints or held.keys.keys() & new.keys.keys()
        ):
            raise FaultyInput([Fault("metadata", system, f"shows a certificate or key of {other.id}")])
