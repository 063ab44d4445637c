"""A job ends: its work is done or has failed, somebody cancels it, or what it puts there is not granted any more."""

from acmx.domain import acm1
from acmx.domain.acm1 import RowState
from acmx.domain.errors import NotNow
from acmx.domain.moments import to_ms
from acmx.domain.telling import NOT_PROVISIONED, PARTLY_PROVISIONED, PROVISIONED
from acmx.flows.house import House
from acmx.flows.provisioning import show_provisioning
from acmx.storage import journal, notices, provisionings
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges, messages
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.provisionings import Job
from acmx.trust.roles import Caller

WORKER = "provisioner"
"""Who ends a job that nobody cancels: `delivery/provisioning/provisioner.py`."""

BY_ITSELF = "policy"
"""Who starts a job that nobody starts: `reprovision`."""


def cancel(house: House, tx: Tx, caller: Caller, id_: str) -> acm1.Provisioning:
    """What is on its way comes to its end, the rest is not begun. Raises NotFound, NotNow where the job has ended."""
    job = show_provisioning.job_named(tx, caller, id_)
    if job.state == "cancelled":
        return show_provisioning.shown(tx, job)
    if not end(tx, job, "cancelled", to_ms(house.clock()), caller.mc_service_id):
        raise NotNow(f"the job is {job.state}", state=job.state)
    return show_provisioning.show(tx, caller, id_)


def end(
    tx: Tx, job: Job, state: acm1.JobState, at: int, actor: str = WORKER, error: str | None = None
) -> bool:
    """It is told, unless it was cancelled or changed nothing. False where it had ended."""
    if not provisionings.end(tx, job.id, state, at, error):
        return False
    event = {"done": "provisioning-ended", "cancelled": "provisioning-cancelled"}.get(
        state, "provisioning-failed"
    )
    counts = provisionings.counts(tx, job.id)
    record(tx, job, event, actor, at, **counts, error=error)
    exchange = exchanges.find(tx, job.primary_system, job.exchange)
    if exchange is not None and state != "cancelled" and job.mode != "preview":
        tell(tx, exchange, _in_a_word(state, counts), at)
    return True


def tell(tx: Tx, exchange: Exchange, event: str, at: int) -> None:
    """The asker; of a gift, whose asker is the partner's, the one here who last had it provisioned."""
    person = None
    if exchange.role == "partner":
        person = provisionings.last_starter(tx, exchange.primary_system, exchange.id, but=BY_ITSELF)
    notices.put(tx, at, exchange, event, notices.next_occurrence(tx, exchange, event), "asker", person)


def still_wanted(tx: Tx, job: Job) -> str | None:
    """Why a job must not go on, if so: what is not approved any more is not put anywhere."""
    if job.mode != "push":
        return None
    exchange = exchanges.find(tx, job.primary_system, job.exchange)
    if exchange is None or exchange.grant_state != "live":
        return f"the approval is {exchange.grant_state if exchange else 'gone'}"
    if messages.comes_after(tx, job.primary_system, job.exchange, "revocation", job.said):
        return "the approval of some users was revoked meanwhile"
    return None


def record(tx: Tx, job: Job, event: str, actor: str, at: int, **detail: object) -> None:
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


def _in_a_word(state: acm1.JobState, counts: dict[RowState, int]) -> str:
    if state == "failed" or set(counts) == {"failed"}:
        return NOT_PROVISIONED
    return PARTLY_PROVISIONED if "failed" in counts else PROVISIONED
