"""A partner has changed what it says of itself: its keys are followed, its realms, certificates and address wait for a
person.

What is looked at here came over the pinned connection and is signed by a pinned key. Until a person has confirmed it,
what was pinned of `GUARDED` holds; everything else is pinned at once. Nothing goes back to an older state.
"""

import msgspec
from msgspec import Struct

from acmx.domain.acm1 import FieldChange, PartnerChange
from acmx.domain.acm1 import Partner as Shown
from acmx.domain.documents import encode
from acmx.domain.errors import FaultyInput, NotFound, VersionsDiffer
from acmx.domain.moments import from_ms, to_ms
from acmx.domain.partnership import Metadata
from acmx.domain.telling import PARTNER_CHANGE
from acmx.flows.house import House
from acmx.flows.partnership import meet_partner, show_partner
from acmx.storage import journal, notices
from acmx.storage.engine import Tx
from acmx.storage.partnership import partner_changes, partners
from acmx.storage.partnership.partner_changes import Change
from acmx.storage.partnership.partners import Partner
from acmx.trust.certificates import der, fingerprint, not_after
from acmx.trust.keys import digit_groups
from acmx.trust.pinned import pinned, read_metadata
from acmx.trust.roles import Caller
from acmx.trust.signatures import body_digest

GUARDED = ("address", "certificates", "realms")
_OF_THE_DOCUMENT = ("created_at", "version")


class Plan(Struct, frozen=True):
    """`pin` is what is pinned now, `changed` its fields that differ; `waits` are the fields that a person decides."""

    partner: Partner
    body: bytes
    pin: bytes
    changed: list[str]
    waits: list[str]
    at: int
    system: str


def due(partner: Partner) -> bool:
    """Whether the partner's metadata is to be fetched. One that nobody here has accepted exchanges files instead."""
    known = (None, partner.metadata_digest, partner.metadata_looked)
    return partner.state_here != "offered" and partner.metadata_stated not in known


def prepare(house: House, tx: Tx, partner: Partner, body: bytes) -> Plan:
    """`partner` as it was when the metadata was asked for. Raises FaultyInput."""
    at = to_ms(house.clock())
    waiting = partner_changes.find(tx, partner.id)
    if body == partner.metadata or (waiting is not None and body == waiting.body):
        return Plan(partner, body, partner.metadata, [], [], at, house.system)
    found = read_metadata(body).metadata
    held = pinned(partner.metadata).metadata
    if found.system != partner.id:
        raise FaultyInput([], f"the metadata is that of {found.system}")
    if found.created_at is None or (held.created_at is not None and found.created_at <= held.created_at):
        raise FaultyInput([], "the metadata is not newer than what is pinned")
    meet_partner.refuse_shared_certificates(tx, partner.id, body)
    waits = [name for name in GUARDED if _differs(name, held, found)]
    pin = body
    if waits:
        pin = encode(msgspec.structs.replace(found, **{name: getattr(held, name) for name in GUARDED}))
    changed = [
        name
        for name in Metadata.__struct_fields__
        if name not in (*GUARDED, *_OF_THE_DOCUMENT) and _differs(name, held, found)
    ]
    return Plan(partner, body, pin, changed, waits, at, house.system)


def apply(tx: Tx, plan: Plan) -> None:
    """Does nothing where something else was pinned meanwhile: it is fetched again if it is still due."""
    current = partners.find(tx, plan.partner.id)
    if current is None or current.metadata_digest != plan.partner.metadata_digest:
        return
    kept = _pin(tx, current, plan.pin, looked=plan.partner.metadata_stated)
    if plan.pin == plan.partner.metadata:
        return
    journal.write(
        tx,
        plan.at,
        "partner-metadata-taken",
        kept.id,
        digest=kept.metadata_digest,
        changed=plan.changed,
        keys=sorted(pinned(kept.metadata).keys),
    )
    if not plan.waits:
        partner_changes.drop(tx, kept.id)
        return
    digest = body_digest(plan.body)
    partner_changes.put(tx, Change(kept.id, digest, plan.body, plan.at))
    journal.write(tx, plan.at, "partner-metadata-waits", kept.id, digest=digest, fields=plan.waits)
    notices.put_for_operators(tx, plan.at, plan.system, kept.id, PARTNER_CHANGE, plan.at)


def refuse(house: House, tx: Tx, partner: Partner, reason: str) -> None:
    """What came is not taken; what is pinned, and what waits for a person, stays."""
    at = to_ms(house.clock())
    current = partners.find(tx, partner.id)
    if current is None:
        return
    partners.replace(tx, msgspec.structs.replace(current, metadata_looked=partner.metadata_stated))
    waiting = partner_changes.find(tx, partner.id) or Change(partner.id, None, None, at)
    if waiting.fault != reason:
        partner_changes.put(tx, msgspec.structs.replace(waiting, fault=reason))
        journal.write(tx, at, "partner-metadata-refused", partner.id, reason=reason)


def show(tx: Tx, id_: str) -> PartnerChange:
    """What waits for a person, field by field. Raises NotFound."""
    partner = partners.find(tx, id_)
    if partner is None:
        raise NotFound(f"no partner {id_}")
    change = partner_changes.find(tx, id_)
    if change is None:
        return PartnerChange(partner=id_, fields=[])
    fields = _fields(partner, change.body) if change.body else []
    return PartnerChange(
        partner=id_, fields=fields, seen=change.digest, found_at=from_ms(change.found_at), fault=change.fault
    )


def confirm(house: House, tx: Tx, caller: Caller, id_: str, seen: str) -> Shown:
    """A person takes what waits. Raises NotFound; VersionsDiffer where something else waits by now; FaultyInput."""
    partner, change = partners.find(tx, id_), partner_changes.find(tx, id_)
    if partner is None or change is None or change.body is None:
        raise NotFound(f"nothing of {id_} waits for confirmation")
    if change.digest != seen:
        raise VersionsDiffer("the partner has changed it again: look at it first")
    meet_partner.refuse_shared_certificates(tx, id_, change.body)
    fields = [field.field for field in _fields(partner, change.body)]
    kept = _pin(tx, partner, change.body, looked=partner.metadata_looked)
    partner_changes.drop(tx, id_)
    journal.write(
        tx,
        to_ms(house.clock()),
        "partner-metadata-confirmed",
        caller.mc_service_id,
        partner=id_,
        digest=change.digest,
        fields=fields,
    )
    return show_partner.shown(tx, kept)


def _pin(tx: Tx, partner: Partner, body: bytes, looked: str | None) -> Partner:
    kept = msgspec.structs.replace(
        partner,
        name=pinned(body).metadata.name,
        metadata=body,
        metadata_digest=body_digest(body),
        metadata_looked=looked,
    )
    partners.replace(tx, kept)
    return kept


def _differs(name: str, held: Metadata, found: Metadata) -> bool:
    before, after = getattr(held, name), getattr(found, name)
    return bool(before != after)


def _fields(partner: Partner, body: bytes) -> list[FieldChange]:
    held, found = _in_words(pinned(partner.metadata).metadata), _in_words(pinned(body).metadata)
    return [FieldChange(name, held[name], found[name]) for name in held if held[name] != found[name]]


def _in_words(metadata: Metadata) -> dict[str, list[str]]:
    return {
        "address": [metadata.address],
        "certificates": [_certificate(pem) for pem in metadata.certificates],
        "hosts": list(metadata.realms.hosts),
        "phone_contexts": list(metadata.realms.phone_contexts),
        "tel_prefixes": list(metadata.realms.tel_prefixes),
    }


def _certificate(pem: str) -> str:
    groups = digit_groups(bytes.fromhex(fingerprint(der(pem))))
    return f"{groups} (until {not_after(pem):%Y-%m-%d})"
