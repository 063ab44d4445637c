"""What people here say of a partnership: accepted, suspended, resumed, removed. The link tells the partner."""

from collections.abc import Collection

import msgspec

from acmx.domain.acm1 import Acceptance
from acmx.domain.acm1 import Partner as Shown
from acmx.domain.errors import FaultyInput, NotAsCompared, NotNow
from acmx.domain.moments import to_ms
from acmx.domain.partnership import Standing
from acmx.flows.house import House
from acmx.flows.partnership import set_terms
from acmx.flows.partnership.show_partner import known, shown
from acmx.storage import journal
from acmx.storage.engine import Tx
from acmx.storage.partnership import partners, terms
from acmx.storage.partnership.partners import Partner
from acmx.trust.keys import same_key
from acmx.trust.pinned import pinned
from acmx.trust.roles import Caller


def accept(house: House, tx: Tx, caller: Caller, id_: str, compared: Acceptance) -> Shown | NotAsCompared:
    """What was compared has to be what is pinned now; the refusal is journalled, so it is returned.

    The terms then name the kinds that whoever accepts has chosen; those of a partner that is accepted already stay.
    Raises NotFound, NotNow, FaultyInput.
    """
    if faults := set_terms.faults_in_kinds(compared.kinds):
        raise FaultyInput(faults)
    partner = _admits(tx, id_, "offered", "accepted")
    keys = pinned(partner.metadata).keys
    if not _same(compared.thumbprints, keys) or compared.seen not in (None, partner.metadata_digest):
        journal.write(
            tx, to_ms(house.clock()), "partner-acceptance-refused", caller.mc_service_id, partner=id_
        )
        return NotAsCompared("look at the partner again, and compare again")
    if partner.state_here == "offered":
        agreed = terms.find(tx, id_)
        terms.put(tx, msgspec.structs.replace(agreed, kinds=" ".join(dict.fromkeys(compared.kinds))))
    kinds = terms.find(tx, id_).kinds.split()
    return _stand(
        house, tx, caller, partner, "accepted", "partner-accepted", thumbprints=sorted(keys), kinds=kinds
    )


def suspend(house: House, tx: Tx, caller: Caller, id_: str, reason: str | None) -> Shown:
    """Raises NotFound, NotNow."""
    partner = _admits(tx, id_, "accepted", "suspended")
    return _stand(house, tx, caller, partner, "suspended", "partner-suspended", reason)


def resume(house: House, tx: Tx, caller: Caller, id_: str) -> Shown:
    """Raises NotFound, NotNow."""
    partner = _admits(tx, id_, "suspended", "accepted")
    return _stand(house, tx, caller, partner, "accepted", "partner-resumed")


def remove(house: House, tx: Tx, caller: Caller, id_: str, reason: str) -> Shown:
    """Nothing that is stored of the partner goes. Raises NotFound."""
    return _stand(house, tx, caller, known(tx, id_), "removed", "partner-removed", reason)


def compare(house: House, tx: Tx, caller: Caller, id_: str) -> Shown:
    """The common exchanges are compared as soon as the link allows. Raises NotFound."""
    known(tx, id_)
    now = to_ms(house.clock())
    partners.to_compare(tx, id_, now, "asked", not_within=0)
    journal.write(tx, now, "comparison-asked", caller.mc_service_id, partner=id_)
    return shown(tx, known(tx, id_))


def _admits(tx: Tx, id_: str, *states: Standing) -> Partner:
    partner = known(tx, id_)
    if partner.state_here not in states:
        raise NotNow(f"the partnership is {partner.state_here} here", state=partner.state_here)
    return partner


def _stand(
    house: House,
    tx: Tx,
    caller: Caller,
    partner: Partner,
    standing: Standing,
    event: str,
    reason: str | None = None,
    thumbprints: list[str] | None = None,
    kinds: list[str] | None = None,
) -> Shown:
    changed = msgspec.structs.replace(
        partner, state_here=standing, reason_here=reason, next_attempt_at=None, failures=0
    )
    partners.replace(tx, changed)
    journal.write(
        tx,
        to_ms(house.clock()),
        event,
        caller.mc_service_id,
        partner=partner.id,
        before=partner.state_here,
        reason=reason,
        thumbprints=thumbprints,
        kinds=kinds,
    )
    return shown(tx, changed)


def _same(compared: Collection[str], keys: Collection[str]) -> bool:
    """Each of the pinned keys was compared, and nothing else."""
    return all(any(same_key(said, kid) for said in compared) for kid in keys) and all(
        any(same_key(said, kid) for kid in keys) for said in compared
    )
