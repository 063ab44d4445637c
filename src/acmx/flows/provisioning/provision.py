"""The documents of an exchange are to be put on the own CMS, compared with what is there, or taken out again.

The job is started here; `delivery/provisioning/provisioner.py` does its work. A requester does
it for own exchanges; who keeps the identities, for every exchange and for what partners gave.
"""

from collections.abc import Sequence

from msgspec import Struct

from acmx.domain import acm1
from acmx.domain.acm1 import NewProvisioning
from acmx.domain.errors import NotNow, NotProvisionable
from acmx.domain.faults import Fault
from acmx.domain.moments import to_ms
from acmx.flows.exchange.grant import Standing
from acmx.flows.house import House
from acmx.flows.provisioning import end_provisioning, make_documents, own_users, show_provisioning
from acmx.kinds import GIVING
from acmx.kinds.catalogue import Given
from acmx.provisioning.xml import write
from acmx.storage import named_users, provisionings
from acmx.storage.engine import Tx
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.provisionings import Job
from acmx.trust.roles import Caller


class Work(Struct, frozen=True):
    """What a job is to do: `document` is put below the XUI `owner`, or taken out where it is None."""

    given: Given
    services: list[str]
    template: int
    owner: str | None
    document: bytes | None = None


class Plan(Struct, frozen=True):
    """The job that begins, and whom it names."""

    job: Job
    named: tuple[str, ...] = ()


def prepare(house: House, tx: Tx, caller: Caller, name: str, given: NewProvisioning) -> Plan:
    """Raises NotFound, and what `plan_of` raises."""
    exchange = show_provisioning.find_taken(tx, caller, name)
    return plan_of(house, tx, exchange, given, caller.mc_service_id)


def plan_of(house: House, tx: Tx, exchange: Exchange, given: NewProvisioning, by: str) -> Plan:
    """Raises NotNow where nothing is granted or no CMS is configured, NotProvisionable, InvalidDocument,
    FaultyInput where the users must be named and are not, or must not be.
    """
    own_users.check(house, exchange, given)
    if not house.has_cms:
        raise NotNow("no CMS is configured to put documents on: [xcap] root", state=exchange.state)
    stands = make_documents.answered(tx, exchange)
    users = given.users or own_users.pushed(tx, exchange, stands)
    if given.mode == "remove":
        work = _to_remove(house, tx, exchange, stands, users)
    else:
        work = _to_put(house, tx, exchange, stands, rel13=given.rel13)
    job = Job(
        id=house.mint(),
        primary_system=exchange.primary_system,
        exchange=exchange.id,
        partner=exchange.partner,
        mode=given.mode,
        state="preparing",
        mc_system_id=work.given.server_identity["mc_system_id"],
        services=" ".join(work.services),
        catalogue=work.given.catalogue,
        template=work.template,
        document=work.document,
        owner=work.owner,
        total=len(users) * len(work.services) + (work.owner is not None),
        started_at=to_ms(house.clock()),
        started_by=by,
        rel13=int(given.rel13),
        said=stands.said,
    )
    return Plan(job, tuple(users) if exchange.kind in GIVING else ())


def apply(tx: Tx, plan: Plan) -> acm1.Provisioning:
    """Raises NotNow where another job of this exchange is under way."""
    begin(tx, plan)
    return show_provisioning.shown(tx, plan.job)


def begin(tx: Tx, plan: Plan) -> None:
    """Raises NotNow where another job of this exchange is under way."""
    job = plan.job
    if not provisionings.insert(tx, job):
        raise NotNow("another job of this exchange is under way: acmx provision ID --status")
    if plan.named:
        named_users.put(tx, job.id, plan.named)
    end_provisioning.record(tx, job, "provisioning-started", job.started_by, job.started_at)


def _to_put(house: House, tx: Tx, exchange: Exchange, stands: Standing, *, rel13: bool) -> Work:
    made = make_documents.make(tx, exchange, stands, rel13=rel13)
    owner = made.values.get("admin_xui")
    if owner is None:
        rule = "is missing in the template: below it the UE initial configuration document lies"
        raise NotProvisionable([Fault("admin_xui", "", rule)])
    services = _services(house, made.given, _pushed(tx, exchange))
    return Work(made.given, services, made.template, owner, write(made.root))


def _to_remove(house: House, tx: Tx, exchange: Exchange, stands: Standing, users: Sequence[str]) -> Work:
    if not users:
        raise NotNow("nobody was approved or provisioned: nothing to remove", state=exchange.state)
    given = make_documents.given_with(tx, exchange, stands)
    version, template = make_documents.template_of(tx, exchange.partner)
    if pushed := _pushed(tx, exchange):
        return Work(given, pushed.services.split(), version, pushed.owner)
    return Work(given, _services(house, given), version, template.admin_xui)


def _pushed(tx: Tx, exchange: Exchange) -> Job | None:
    """The newest job that put documents on the CMS."""
    jobs = provisionings.of_exchange(tx, exchange.primary_system, exchange.id)
    return next((job for job in jobs if job.mode == "push"), None)


def _services(house: House, given: Given, pushed: Job | None = None) -> list[str]:
    """Those that are given, and those that were pushed before and are not given any more."""
    before = pushed.services.split() if pushed else []
    return [service for service in house.profiles if service in given.services or service in before]
