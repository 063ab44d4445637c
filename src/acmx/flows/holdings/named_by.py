"""The MC system ID in server identities belongs to whoever gives them.

Profile entries are replaced by this name (TS 24.484, 8.3): with a foreign one, a partner would take another's place.
"""

from acmx.domain import server_identity
from acmx.domain.faults import Fault
from acmx.domain.identities import Realms
from acmx.kinds.catalogue import Given
from acmx.storage.engine import Tx
from acmx.storage.partnership import partners
from acmx.trust.pinned import pinned


def faults(system: str, realms: Realms, mc_system_id: str) -> list[Fault]:
    """What is wrong, if it is neither at the domain of this system nor at a host of its users."""
    if server_identity.host_of(mc_system_id) in {system, *realms.hosts}:
        return []
    return [Fault("mc_system_id", mc_system_id, f"must be at {system}, or at a host of its users")]


def faults_of_partner(tx: Tx, partner: str, given: Given) -> list[Fault]:
    kept = partners.find(tx, partner)
    realms = pinned(kept.metadata).metadata.realms if kept else Realms()
    return faults(partner, realms, given.server_identity["mc_system_id"])
