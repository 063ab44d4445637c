"""At A: the documents of an exchange are to be put on the own CMS, compared with what is there, or taken out again.

A job is started, shown and cancelled here; `delivery/provisioner.py` does its work. A requester does it for the own
exchanges, who keeps the identities for every exchange.
"""

import msgspec
from msgspec import Struct

from acmx.domain import acm1
from acmx.domain.acm1 import NewProvisioning, RowState
from acmx.domain.errors import Fault, NotFound, NotNow, NotProvisionable
from acmx.domain.moments import from_ms, to_ms
from acmx.flows import make_documents
from acmx.flows.find import sees
from acmx.flows.house import House
from acmx.kinds.server_identity import Given
from acmx.provisioning.template import Template
from acmx.provisioning.xml import write
from acmx.storage import exchanges, journal, provisionings, templates
from acmx.storage.engine import Tx
from acmx.storage.exchanges import Exchange
from acmx.storage.provisionings import UE, Job, Row
from acmx.trust.roles import Caller


class Plan(Struct, frozen=True):
    """The job that begins."""

    job: Job


def prepare(house: House, tx: Tx, caller: Caller, name: str, given: NewProvisioning) -> Plan:
    """Raises NotFound, NotNow where nothing is granted or no CMS is configured, NotProvisionable, InvalidDocument."""
    exchange = _find(tx, caller, name)
    if not house.has_cms:
        raise NotNow("no CMS is configured to put documents on: [xcap] root", state=exchange.state)
    make = _to_remove if given.mode == "remove" else _to_put
    job = make(house, tx, exchange, given)
    return Plan(msgspec.structs.replace(job, started_by=caller.mc_service_id))


def apply(tx: Tx, plan: Plan) -> acm1.Provisioning:
    """Raises NotNow where another job of this exchange is under way."""
    job = plan.job
    if not provisionings.insert(tx, job):
        raise NotNow("another job of this exchange is under way: acmx provision ID --status")
    _write(tx, job, "provisioning-started", job.started_by, job.started_at)
    return shown(tx, job)


def jobs(tx: Tx, caller: Caller, name: str) -> acm1.Provisionings:
    """Raises NotFound."""
    exchange = _find(tx, caller, name)
    found = provisionings.of_exchange(tx, exchange.primary_system, exchange.id)
    return acm1.Provisionings([shown(tx, job) for job in found])


def show(tx: Tx, caller: Caller, id_: str) -> acm1.Provisioning:
    """Raises NotFound."""
    return shown(tx, _job(tx, caller, id_))


def rows(
    tx: Tx, caller: Caller, id_: str, *, state: RowState | None, after: int, limit: int
) -> acm1.ProvisioningRows:
    """Raises NotFound."""
    job = _job(tx, caller, id_)
    found = provisionings.page(tx, job.id, state=state, after=after, limit=limit + 1)
    more = str(found[limit - 1].n) if len(found) > limit else None
    return acm1.ProvisioningRows([_shown_row(row) for row in found[:limit]], more)


def cancel(house: House, tx: Tx, caller: Caller, id_: str) -> acm1.Provisioning:
    """What is on its way comes to its end, the rest is not begun. Raises NotFound, NotNow where the job has ended."""
    job = _job(tx, caller, id_)
    if job.state == "cancelled":
        return shown(tx, job)
    if not end(tx, job, "cancelled", to_ms(house.clock()), caller.mc_service_id):
        raise NotNow(f"the job is {job.state}", state=job.state)
    return show(tx, caller, id_)


def end(
    tx: Tx, job: Job, state: acm1.JobState, at: int, actor: str | None = None, error: str | None = None
) -> bool:
    """False where it had ended."""
    if not provisionings.end(tx, job.id, state, at, error):
        return False
    event = {"done": "provisioning-ended", "cancelled": "provisioning-cancelled"}.get(
        state, "provisioning-failed"
    )
    _write(tx, job, event, actor or job.started_by, at, **provisionings.counts(tx, job.id), error=error)
    return True


def new_rows(house: House, tx: Tx, job: Job, limit: int) -> list[Row]:
    """The rows of a job that are not there yet, `limit` at most: each user with each service, then the document."""
    exchange = exchanges.find(tx, job.primary_system, job.exchange)
    if exchange is None:
        raise NotFound
    begin, at = provisionings.last_row(tx, job.id) + 1, to_ms(house.clock())
    users = make_documents.approved(make_documents.answered(tx, exchange))
    services = job.services.split()
    others = _approved_otherwise(tx, exchange) if job.mode == "remove" else {}
    made = []
    for n in range(begin, min(begin + limit, job.total)):
        if n == len(users) * len(services):
            row = Row(job.id, n, job.owner or "", UE)
            by = next(iter(others.values()), None)
        else:
            user = users[n // len(services)]
            row = Row(job.id, n, user, services[n % len(services)])
            by = others.get(user)
        if by is not None:
            kept = f"kept: exchange {by} with this partner holds"
            row = msgspec.structs.replace(row, state="unchanged", detail=kept, at=at)
        made.append(row)
    return made


def still_wanted(tx: Tx, job: Job) -> str | None:
    """Why a job must not go on, if so: what is not approved any more is not put anywhere."""
    exchange = exchanges.find(tx, job.primary_system, job.exchange)
    if job.mode == "push" and (exchange is None or exchange.grant_state != "live"):
        return f"the approval is {exchange.grant_state if exchange else 'gone'}"
    return None


def shown(tx: Tx, job: Job) -> acm1.Provisioning:
    held = job.failures and not job.ended
    return acm1.Provisioning(
        id=job.id,
        exchange=job.exchange,
        partner=job.partner,
        mode=job.mode,
        state=job.state,
        catalogue=job.catalogue,
        template=job.template,
        started_at=from_ms(job.started_at),
        started_by=job.started_by,
        total=job.total,
        counts=msgspec.json.decode(job.summary) if job.summary else provisionings.counts(tx, job.id),
        ended_at=None if job.ended_at is None else from_ms(job.ended_at),
        next_attempt_at=from_ms(job.next_attempt_at) if held else None,
        last_error=job.last_error,
    )


def _to_put(house: House, tx: Tx, exchange: Exchange, given: NewProvisioning) -> Job:
    made = make_documents.make(tx, exchange, rel13=given.rel13)
    owner = made.values.get("admin_xui")
    if owner is None:
        rule = "is missing in the template: below it the UE initial configuration document lies"
        raise NotProvisionable([Fault("admin_xui", "", rule)])
    services = _services(house, made.given)
    return Job(
        id=house.mint(),
        primary_system=exchange.primary_system,
        exchange=exchange.id,
        partner=exchange.partner,
        mode=given.mode,
        state="preparing",
        mc_system_id=made.values.get("mc_system_id"),
        services=" ".join(services),
        catalogue=made.given.catalogue,
        template=made.template,
        document=write(made.root),
        owner=owner,
        total=len(made.users) * len(services) + 1,
        started_at=to_ms(house.clock()),
        started_by="",
    )


def _to_remove(house: House, tx: Tx, exchange: Exchange, given: NewProvisioning) -> Job:
    response = make_documents.answered(tx, exchange)
    users = make_documents.approved(response)
    if not users:
        raise NotNow("nobody was approved: there is nothing to remove", state=exchange.state)
    content = msgspec.convert(response.content, Given)
    pushed = next(
        (
            job
            for job in provisionings.of_exchange(tx, exchange.primary_system, exchange.id)
            if job.mode == "push"
        ),
        None,
    )
    kept = templates.current(tx, exchange.partner)
    template = msgspec.json.decode(kept.body, type=Template) if kept else Template()
    owner = pushed.owner if pushed else template.admin_xui
    services = pushed.services.split() if pushed else _services(house, content)
    return Job(
        id=house.mint(),
        primary_system=exchange.primary_system,
        exchange=exchange.id,
        partner=exchange.partner,
        mode=given.mode,
        state="preparing",
        mc_system_id=content.server_identity["mc_system_id"],
        services=" ".join(services),
        catalogue=content.catalogue,
        template=kept.version if kept else 0,
        document=None,
        owner=owner,
        total=len(users) * len(services) + (owner is not None),
        started_at=to_ms(house.clock()),
        started_by="",
    )


def _services(house: House, given: Given) -> list[str]:
    return [service for service in house.profiles if service in given.services]


def _approved_otherwise(tx: Tx, exchange: Exchange) -> dict[str, str]:
    """Users whom another exchange with this partner still approves, and which."""
    found: dict[str, str] = {}
    for other in exchanges.live_with(tx, exchange.partner):
        if other.id != exchange.id and other.kind == exchange.kind:
            found |= dict.fromkeys(make_documents.approved(make_documents.answered(tx, other)), other.id)
    return found


def _find(tx: Tx, caller: Caller, name: str) -> Exchange:
    id_ = name.rpartition(":")[2]
    for exchange in exchanges.named(tx, id_.lower()):
        if exchange.role == "primary" and (sees(tx, caller, exchange) or caller.may("identities")):
            return exchange
    raise NotFound(f"no exchange {name} of this system that {caller.account} may see")


def _job(tx: Tx, caller: Caller, id_: str) -> Job:
    job = provisionings.find(tx, id_.lower())
    if job is None:
        raise NotFound(f"no job {id_}")
    _find(tx, caller, job.exchange)
    return job


def _shown_row(row: Row) -> acm1.ProvisioningRow:
    return acm1.ProvisioningRow(
        n=row.n,
        xui=row.xui,
        service=row.service,  # type: ignore[arg-type]
        state=row.state,
        attempts=row.attempts,
        detail=row.detail,
        at=None if row.at is None else from_ms(row.at),
    )


def _write(tx: Tx, job: Job, event: str, actor: str, at: int, **detail: object) -> None:
    journal.write(
        tx,
        at,
        event,
        actor,
        primary=job.primary_system,
        id_=job.exchange,
        job=job.id,
        mode=job.mode,
        **detail,
    )
