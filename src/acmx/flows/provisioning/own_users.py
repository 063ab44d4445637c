"""For which own users documents are made: whom the partner approved, or, where it gave unasked, whom we name."""

from collections.abc import Sequence

from acmx.domain.acm1 import NewProvisioning
from acmx.domain.errors import FaultyInput
from acmx.domain.faults import Fault
from acmx.domain.identities import faults_in_users
from acmx.flows.exchange.grant import Standing
from acmx.flows.house import House
from acmx.kinds import GIVING
from acmx.storage import named_users, provisionings
from acmx.storage.engine import Tx
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.provisionings import Job


def takes(exchange: Exchange) -> bool:
    """Whether this system is the one that is given server identities, so that documents can be made here."""
    return exchange.kind is not None and (exchange.role == "partner") is (exchange.kind in GIVING)


def check(house: House, exchange: Exchange, given: NewProvisioning) -> None:
    """Raises FaultyInput where users must be named and are not, are named and must not, or are not own ones."""
    if exchange.kind not in GIVING or given.mode == "remove":
        if given.users:
            faults = [Fault("users", f"{len(given.users)} users", "are known already: must not be named")]
            raise FaultyInput(faults)
        return
    if faults := faults_in_users(given.users):
        raise FaultyInput(faults)
    if foreign := house.realms.foreign(given.users):
        raise FaultyInput([Fault("users", user, f"does not belong to {house.system}") for user in foreign])


def pushed(tx: Tx, exchange: Exchange, stands: Standing) -> Sequence[str]:
    """Those whose documents may lie on the CMS."""
    if exchange.kind in GIVING:
        return named_users.pushed(tx, exchange.primary_system, exchange.id)
    return stands.approved


def held(tx: Tx, exchange: Exchange, stands: Standing) -> Sequence[str]:
    """Those whose documents belong on the CMS while the grant is live."""
    if exchange.kind not in GIVING:
        return stands.users
    last = provisionings.last_done(tx, exchange.primary_system, exchange.id)
    return () if last is None or last.mode == "remove" else pushed(tx, exchange, stands)


def of_job(tx: Tx, exchange: Exchange, stands: Standing, job: Job) -> Sequence[str]:
    return named_users.of_job(tx, job.id) if exchange.kind in GIVING else stands.approved
