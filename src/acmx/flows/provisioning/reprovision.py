"""At A: where the terms for the partner say so, what is on the own CMS follows what the partner says, by itself.

What was pushed is pushed anew after an update and for whom is left after a revocation, and taken out once the grant has
ended. The clockwork starts the job; one that is under way with what held before makes room for it.
"""

from msgspec import Struct

from acmx.domain.acm1 import Mode, NewProvisioning
from acmx.domain.errors import AcmxError
from acmx.domain.moments import to_ms
from acmx.domain.telling import NOT_PROVISIONED
from acmx.flows.house import House
from acmx.flows.provisioning import end_provisioning, own_users, provision
from acmx.flows.provisioning.end_provisioning import BY_ITSELF
from acmx.storage import journal, provisionings
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.partnership import terms
from acmx.storage.provisionings import Wanted

AT_ONCE = 10


class Due(Struct, frozen=True):
    """An exchange, by its `id`, whose documents are to be put in order."""

    id: str
    wanted: Wanted


class Plan(Struct, frozen=True):
    """The exchange as it was read, and the job, or why there is none. `at` in milliseconds."""

    wanted: Wanted
    exchange: Exchange | None
    at: int
    planned: provision.Plan | None = None
    error: str | None = None


def want(tx: Tx, exchange: Exchange, at: int) -> None:
    """Does nothing unless the terms ask for it and something is on the CMS."""
    if not own_users.takes(exchange) or not terms.find(tx, exchange.partner).reprovision:
        return
    last = provisionings.last_done(tx, exchange.primary_system, exchange.id)
    if last is not None and last.mode == "push":
        provisionings.want(tx, Wanted(exchange.primary_system, exchange.id, at))


def due(_house: House, tx: Tx) -> list[Due]:
    return [Due(wanted.exchange, wanted) for wanted in provisionings.wanted(tx, AT_ONCE)]


def prepare(house: House, tx: Tx, due: Due) -> Plan:
    wanted, now = due.wanted, to_ms(house.clock())
    exchange = exchanges.find(tx, wanted.primary_system, wanted.exchange)
    last = provisionings.last_done(tx, wanted.primary_system, wanted.exchange)
    if exchange is None or last is None or last.mode != "push":
        return Plan(wanted, exchange, now)
    mode: Mode = "push" if exchange.grant_state == "live" else "remove"
    given = NewProvisioning(mode, rel13=bool(last.rel13))
    try:
        return Plan(wanted, exchange, now, provision.plan_of(house, tx, exchange, given, BY_ITSELF))
    except AcmxError as error:
        return Plan(wanted, exchange, now, error=f"{error.title()} {error.detail}".strip())


def apply(tx: Tx, plan: Plan) -> None:
    """Does nothing where the exchange has changed since it was read: it is due again."""
    wanted, planned = plan.wanted, plan.planned
    exchange = exchanges.find(tx, wanted.primary_system, wanted.exchange)
    if exchange != plan.exchange or not provisionings.no_longer_wanted(tx, wanted):
        return
    if plan.error and exchange is not None:
        key = {"primary": exchange.primary_system, "id_": exchange.id}
        journal.write(tx, plan.at, "provisioning-not-started", BY_ITSELF, **key, error=plan.error[:500])
        end_provisioning.tell(tx, exchange, NOT_PROVISIONED, plan.at)
    if planned is None:
        return
    for other in provisionings.of_exchange(tx, wanted.primary_system, wanted.exchange):
        if not other.ended:
            end_provisioning.end(tx, other, "cancelled", plan.at, BY_ITSELF, "what is granted has changed")
    provision.begin(tx, planned)
