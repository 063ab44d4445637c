"""An operator says why the database holds another history than what was shipped before; what was found stays."""

from acmx.domain.acm1 import Acknowledged, Acknowledgement
from acmx.domain.moments import to_ms
from acmx.flows.house import House
from acmx.storage import journal, lost_checkpoints
from acmx.storage.engine import Tx
from acmx.trust.roles import Caller


def apply(house: House, tx: Tx, caller: Caller, given: Acknowledgement) -> Acknowledged:
    """Where there is nothing to acknowledge nothing changes."""
    now = to_ms(house.clock())
    count = lost_checkpoints.acknowledge(tx, now)
    if count:
        journal.write(
            tx, now, "fork-acknowledged", caller.mc_service_id, checkpoints=count, reason=given.reason
        )
    return Acknowledged(count)
