"""What became of the jobs of an exchange, and what on the own CMS is not as it should be."""

from typing import Literal

import msgspec

from acmx.domain import acm1
from acmx.domain.acm1 import RowState
from acmx.domain.errors import NotFound
from acmx.domain.moments import from_ms
from acmx.flows.exchange.find import find, sees
from acmx.flows.exchange.grant import Standing
from acmx.flows.provisioning import own_users
from acmx.storage import provisionings
from acmx.storage.engine import Tx
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.provisionings import Job, Row
from acmx.trust.roles import Caller


def jobs(tx: Tx, caller: Caller, name: str) -> acm1.Provisionings:
    """Raises NotFound."""
    exchange = find_taken(tx, caller, name)
    found = provisionings.of_exchange(tx, exchange.primary_system, exchange.id)
    return acm1.Provisionings([shown(tx, job) for job in found])


def show(tx: Tx, caller: Caller, id_: str) -> acm1.Provisioning:
    """Raises NotFound."""
    return shown(tx, job_named(tx, caller, id_))


def rows(
    tx: Tx, caller: Caller, id_: str, *, state: RowState | None, after: int, limit: int
) -> acm1.ProvisioningRows:
    """Raises NotFound."""
    job = job_named(tx, caller, id_)
    found = provisionings.page(tx, job.id, state=state, after=after, limit=limit + 1)
    more = str(found[limit - 1].n) if len(found) > limit else None
    return acm1.ProvisioningRows([_shown_row(row) for row in found[:limit]], more)


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


def find_taken(tx: Tx, caller: Caller, name: str) -> Exchange:
    """The exchange that gives this system server identities. Raises NotFound."""
    exchange = find(tx, caller, name, _may_see)
    if not own_users.takes(exchange):
        raise NotFound(f"exchange {name} gives this system nothing to make documents of")
    return exchange


def job_named(tx: Tx, caller: Caller, id_: str) -> Job:
    job = provisionings.find(tx, id_.lower())
    if job is None:
        raise NotFound(f"no job {id_}")
    find_taken(tx, caller, f"{job.primary_system}:{job.exchange}")
    return job


def _may_see(tx: Tx, caller: Caller, exchange: Exchange) -> bool:
    """Who keeps the identities sees every exchange that gives some."""
    return sees(tx, caller, exchange) or (caller.may("identities") and own_users.takes(exchange))


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
