"""The documents of an exchange are to be put on the own CMS, compared with what is there, or taken out again.

A job is started, shown and cancelled here; `delivery/provisioner.py` does its work. A requester does it for the own
exchanges, who keeps the identities for every exchange and for what partners gave.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct

from acmx.domain import acm1
from acmx.domain.acm1 import NewProvisioning, RowState
from acmx.domain.errors import Fault, NotFound, NotNow, NotProvisionable
from acmx.domain.moments import from_ms, to_ms
from acmx.domain.telling import NOT_PROVISIONED, PARTLY_PROVISIONED, PROVISIONED
from acmx.flows import make_documents, own_users
from acmx.flows.find import sees
from acmx.flows.house import House
from acmx.flows.standing import Standing
from acmx.kinds import GIVING
from acmx.kinds.catalogue import Given
from acmx.provisioning.template import Template
from acmx.provisioning.xml import write
from acmx.storage import exchanges, journal, messages, named_users, notices, provisionings, templates
from acmx.storage.engine import Tx
from acmx.storage.exchanges import Exchange
from acmx.storage.provisionings import UE, Job, Row
from acmx.trust.roles import Caller


class Plan(Struct, frozen=True):
    """The job that begins, and whom it names."""

    job: Job
    named: tuple[str, ...] = ()


def prepare(house: House, tx: Tx, caller: Caller, name: str, given: NewProvisioning) -> Plan:
    """Raises NotFound, and what `plan_of` raises."""
    exchange = _find(tx, caller, name)
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
        job = _to_remove(house, tx, exchange, users)
    else:
        job = _to_put(house, tx, exchange, given, users)
    return Plan(msgspec.structs.replace(job, started_by=by), tuple(users) if exchange.kind in GIVING else ())


def apply(tx: Tx, plan: Plan) -> acm1.Provisioning:
    """Raises NotNow where another job of this exchange is under way."""
    begin(tx, plan)
    return shown(tx, plan.job)


def begin(tx: Tx, plan: Plan) -> None:
    """Raises NotNow where another job of this exchange is under way."""
    job = plan.job
    if not provisionings.insert(tx, job):
        raise NotNow("another job of this exchange is under way: acmx provision ID --status")
    if plan.named:
        named_users.put(tx, job.id, plan.named)
    _write(tx, job, "provisioning-started", job.started_by, job.started_at)


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
    """Tell the asker, unless it was cancelled or changed nothing. False where it had ended."""
    if not provisionings.end(tx, job.id, state, at, error):
        return False
    event = {"done": "provisioning-ended", "cancelled": "provisioning-cancelled"}.get(
        state, "provisioning-failed"
    )
    counts = provisionings.counts(tx, job.id)
    _write(tx, job, event, actor or job.started_by, at, **counts, error=error)
    exchange = exchanges.find(tx, job.primary_system, job.exchange)
    if exchange is not None and state != "cancelled" and job.mode != "preview":
        told = _in_a_word(state, counts)
        notices.put(tx, at, exchange, told, notices.next_occurrence(tx, exchange, told), "asker")
    return True


def _in_a_word(state: acm1.JobState, counts: dict[RowState, int]) -> str:
    if state == "failed" or set(counts) == {"failed"}:
        return NOT_PROVISIONED
    return PARTLY_PROVISIONED if "failed" in counts else PROVISIONED


def new_rows(house: House, tx: Tx, job: Job, limit: int) -> list[Row]:
    """The rows of a job that are not there yet, `limit` at most: each user with each service, then the document."""
    exchange = exchanges.find(tx, job.primary_system, job.exchange)
    if exchange is None:
        raise NotFound
    begin, at = provisionings.last_row(tx, job.id) + 1, to_ms(house.clock())
    stands = make_documents.answered(tx, exchange)
    users, services = own_users.of_job(tx, exchange, stands, job), job.services.split()
    given = make_documents.given_with(tx, exchange, stands).services
    others = _approved_otherwise(tx, exchange) if job.mode == "remove" or stands.revoked else {}
    made = []
    for n in range(begin, min(begin + limit, job.total)):
        if n == len(users) * len(services):
            row = Row(job.id, n, job.owner or "", UE, gone=int(job.mode == "remove"))
            by = next(iter(others.values()), None) if row.gone else None
        else:
            user, service = users[n // len(services)], services[n % len(services)]
            gone = job.mode == "remove" or user in stands.revoked or service not in given
            row = Row(job.id, n, user, service, gone=int(gone))
            by = others.get(user) if gone else None
        if by is not None:
            kept = f"kept: exchange {by} with this partner holds"
            row = msgspec.structs.replace(row, state="unchanged", detail=kept, at=at)
        made.append(row)
    return made


def still_wanted(tx: Tx, job: Job) -> str | None:
    """Why a job must not go on, if so: what is not approved any more is not put anywhere."""
    exchange = exchanges.find(tx, job.primary_system, job.exchange)
    if job.mode != "push":
        return None
    if exchange is None or exchange.grant_state != "live":
        return f"the approval is {exchange.grant_state if exchange else 'gone'}"
    if messages.comes_after(tx, job.primary_system, job.exchange, "revocation", job.said):
        return "the approval of some users was revoked meanwhile"
    return None


def behind(tx: Tx, exchange: Exchange, stands: Standing) -> Literal["older", "to-remove"] | None:
    """What the CMS holds though it should not, as far as the last job tells."""
    last = provisionings.last_done(tx, exchange.primary_system, exchange.id)
    if last is None:
        return None
    if exchange.grant_state != "live":
        removed = (
            last.mode == "remove"
            and last.state == "done"
            and "failed" not in provisionings.counts(tx, last.id)
        )
        return None if removed else "to-remove"
    return "older" if last.mode == "push" and last.said not in ("", stands.said) else None


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


def _to_put(house: House, tx: Tx, exchange: Exchange, given: NewProvisioning, users: Sequence[str]) -> Job:
    made = make_documents.make(tx, exchange, rel13=given.rel13)
    owner = made.values.get("admin_xui")
    if owner is None:
        rule = "is missing in the template: below it the UE initial configuration document lies"
        raise NotProvisionable([Fault("admin_xui", "", rule)])
    services = _services(house, made.given, _pushed(tx, exchange))
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
        total=len(users) * len(services) + 1,
        started_at=to_ms(house.clock()),
        started_by="",
        rel13=int(given.rel13),
        said=made.stands.said,
    )


def _to_remove(house: House, tx: Tx, exchange: Exchange, users: Sequence[str]) -> Job:
    stands = make_documents.answered(tx, exchange)
    if not users:
        raise NotNow("nobody was approved or provisioned: nothing to remove", state=exchange.state)
    content = make_documents.given_with(tx, exchange, stands)
    pushed = _pushed(tx, exchange)
    kept = templates.current(tx, exchange.partner)
    template = msgspec.json.decode(kept.body, type=Template) if kept else Template()
    owner = pushed.owner if pushed else template.admin_xui
    services = pushed.services.split() if pushed else _services(house, content)
    return Job(
        id=house.mint(),
        primary_system=exchange.primary_system,
        exchange=exchange.id,
        partner=exchange.partner,
        mode="remove",
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
        said=stands.said,
    )


def _pushed(tx: Tx, exchange: Exchange) -> Job | None:
    """The newest job that put documents on the CMS."""
    jobs = provisionings.of_exchange(tx, exchange.primary_system, exchange.id)
    return next((job for job in jobs if job.mode == "push"), None)


def _services(house: House, given: Given, pushed: Job | None = None) -> list[str]:
    """Those that are given, and those that were pushed before and are not given any more."""
    before = pushed.services.split() if pushed else []
    return [service for service in house.profiles if service in given.services or service in before]


def _approved_otherwise(tx: Tx, exchange: Exchange) -> dict[str, str]:
    """Users for whom another exchange with this partner still holds, and which."""
    found: dict[str, str] = {}
    for other in exchanges.live_with(tx, exchange.partner):
        if other.id != exchange.id and own_users.takes(other):
            stands = make_documents.answered(tx, other)
            found |= dict.fromkeys(own_users.held(tx, other, stands), other.id)
    return found


def _find(tx: Tx, caller: Caller, name: str) -> Exchange:
    id_ = name.rpartition(":")[2]
    for exchange in exchanges.named(tx, id_.lower()):
        if own_users.takes(exchange) and (sees(tx, caller, exchange) or caller.may("identities")):
            return exchange
    raise NotFound(f"no exchange {name} with documents for this system that {caller.account} may see")


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
