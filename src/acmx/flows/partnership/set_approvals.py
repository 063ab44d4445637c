"""How many people must approve what is exchanged with a partner; what is set holds at once, also for what is open."""

from acmx.domain.acm1 import Approvals
from acmx.domain.acm1 import Partner as Shown
from acmx.domain.acm1 import Threshold as Given
from acmx.domain.errors import FaultyInput, NotFound
from acmx.domain.faults import Fault
from acmx.domain.moments import to_ms
from acmx.flows.house import House
from acmx.flows.partnership import show_partner
from acmx.kinds import KINDS
from acmx.storage import journal
from acmx.storage.engine import Tx
from acmx.storage.partnership import partners, thresholds
from acmx.storage.partnership.thresholds import Side, Threshold
from acmx.trust.roles import ROLES, Caller


def replace(house: House, tx: Tx, caller: Caller, id_: str, given: Approvals) -> Shown:
    """Journalled with what held before. Raises NotFound, FaultyInput."""
    if partners.find(tx, id_) is None:
        raise NotFound(f"no partner {id_}")
    if faults := _faults(given):
        raise FaultyInput(faults)
    sides: tuple[tuple[Side, Given | None], ...] = (("review", given.review), ("release", given.release))
    for side, threshold in sides:
        if threshold is not None:
            new = Threshold(id_, given.kind, side, threshold.approvals, ",".join(threshold.roles))
            _put(tx, new, caller.mc_service_id, to_ms(house.clock()))
    return show_partner.show(tx, id_)


def _put(tx: Tx, new: Threshold, actor: str, at: int) -> None:
    old = thresholds.find(tx, new.partner, new.kind, new.side)
    if old == new:
        return
    thresholds.put(tx, new)
    journal.write(
        tx,
        at,
        "approvals-set",
        actor,
        partner=new.partner,
        kind=new.kind,
        side=new.side,
        old=old.approvals,
        new=new.approvals,
        old_roles=old.roles,
        new_roles=new.roles,
    )


def _faults(given: Approvals) -> list[Fault]:
    faults = []
    if given.kind not in KINDS:
        faults.append(Fault("kind", given.kind, f"must be one of {', '.join(KINDS)}"))
    if given.review is not None and given.review.approvals < 1:
        faults.append(Fault("review.approvals", "0", "must be at least 1"))
    for name, threshold in (("review", given.review), ("release", given.release)):
        unknown = [role for role in threshold.roles if role not in ROLES] if threshold else []
        faults += [Fault(f"{name}.roles", role, f"must be one of {', '.join(ROLES)}") for role in unknown]
    return faults
