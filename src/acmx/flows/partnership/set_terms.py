"""A partner administrator sets the terms of a partner: what is exchanged, who may ask it, how much is taken."""

from collections.abc import Iterable

import msgspec

from acmx.domain.acm1 import Partner as Shown
from acmx.domain.acm1 import Terms as Given
from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault
from acmx.domain.identities import InvalidIdentity, mc_service_id
from acmx.domain.moments import to_ms
from acmx.flows.house import House
from acmx.flows.partnership.show_partner import known, shown
from acmx.kinds import KINDS
from acmx.storage import journal
from acmx.storage.engine import Tx
from acmx.storage.partnership import terms
from acmx.storage.partnership.terms import Terms
from acmx.trust.roles import ROLES, Caller


def apply(house: House, tx: Tx, caller: Caller, id_: str, given: Given) -> Shown:
    """Raises NotFound, FaultyInput."""
    partner = known(tx, id_)
    if faults := _faults(given):
        raise FaultyInput(faults)
    new = Terms(
        id_,
        " ".join(given.kinds),
        " ".join(given.askers),
        given.max_open,
        given.max_users,
        given.max_per_hour,
        given.note,
        int(given.reprovision),
    )
    old = terms.find(tx, id_)
    terms.put(tx, new)
    journal.write(
        tx,
        to_ms(house.clock()),
        "partner-terms",
        caller.mc_service_id,
        partner=id_,
        old=msgspec.structs.asdict(old),
        new=msgspec.structs.asdict(new),
    )
    return shown(tx, partner)


def faults_in_kinds(given: Iterable[str]) -> list[Fault]:
    rule = f"must be one of {', '.join(KINDS)}"
    return [Fault("kinds", kind, rule) for kind in given if kind not in KINDS]


def _faults(given: Given) -> list[Fault]:
    faults = faults_in_kinds(given.kinds)
    faults += [fault for asker in given.askers if asker not in ROLES and (fault := _not_an_asker(asker))]
    if not given.note.isprintable():
        faults.append(Fault("note", given.note, "must not contain control characters"))
    return faults


def _not_an_asker(text: str) -> Fault | None:
    try:
        mc_service_id(text)
    except InvalidIdentity:
        return Fault("askers", text, "must be an MC service ID or a role")
    return None
