"""The file that a partner handed over is read and pinned; people compare it and accept it afterwards."""

import msgspec
from msgspec import Struct

from acmx.domain.acm1 import Partner as Shown
from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault
from acmx.domain.identities import mc_system_id
from acmx.domain.moments import to_ms
from acmx.domain.partnership import PartnerFile
from acmx.flows.house import House
from acmx.flows.partnership.show_partner import shown
from acmx.storage import journal
from acmx.storage.engine import Tx
from acmx.storage.partnership import partner_changes, partners
from acmx.storage.partnership.partners import Partner
from acmx.trust.pinned import pinned, read_partner_file
from acmx.trust.roles import Caller
from acmx.trust.signatures import body_digest


class Plan(Struct, frozen=True):
    """The partner as the file has it."""

    partner: Partner
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
    partner = Partner(
        id=system,
        name=found.metadata.name,
        state_here="offered",
        state_there="offered",
        stated_at=0,
        metadata=metadata,
        metadata_digest=body_digest(metadata),
    )
    return Plan(partner, caller.mc_service_id, at)


def apply(tx: Tx, plan: Plan) -> Shown:
    """What was pinned before is replaced, and has to be accepted anew; so has a partner that was removed."""
    partner = plan.partner
    known = partners.find(tx, partner.id)
    if known is None:
        partners.insert(tx, partner)
    elif known.state_here == "removed" or known.metadata_digest != partner.metadata_digest:
        said = "offered" if known.state_there == "removed" else known.state_there
        partner = msgspec.structs.replace(partner, state_there=said, stated_at=known.stated_at)
        partners.replace(tx, partner)
        partner_changes.drop(tx, partner.id)
    else:
        partner = known
    journal.write(
        tx, plan.at, "partner-added", plan.actor, partner=partner.id, digest=partner.metadata_digest
    )
    return shown(tx, partner)


def refuse_shared_certificates(tx: Tx, system: str, metadata: bytes) -> None:
    """A certificate or key names one partner only. Raises FaultyInput."""
    new = pinned(metadata)
    for other in partners.every(tx):
        held = pinned(other.metadata)
        if other.id != system and (
            held.fingerprints & new.fingerprints or held.keys.keys() & new.keys.keys()
        ):
            raise FaultyInput([Fault("metadata", system, f"shows a certificate or key of {other.id}")])
