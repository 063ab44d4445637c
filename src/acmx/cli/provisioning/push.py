"""`acmx provision` at the CMS: a job is started, watched, cancelled; what was done and what was not is said."""

import time
from itertools import islice

from msgspec import Struct
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from acmx.cli.failures import DONE, FAILED, INTERRUPTED, NOT_YET, note
from acmx.cli.options import Options
from acmx.cli.terminal import cell, err, facts, out, plain, table
from acmx.cli.terminal import time as moment
from acmx.client import Client
from acmx.domain.acm1 import NewProvisioning, Provisioning, ProvisioningRow, RowState
from acmx.domain.errors import NotFound, TemporarilyUnavailable, Unreachable

EVERY = 1.0
SHOWN = 20
TO_SHOW: tuple[RowState, ...] = ("failed", "different")


class Report(Struct):
    """A job, and those of its documents that were not written or would be."""

    job: Provisioning
    rows: list[ProvisioningRow]


def start(id_: str, new: NewProvisioning, options: Options, *, watch: bool) -> int:
    with options.client() as client:
        job = client.provision(id_, new)
        return _follow(client, id_, job, options, watch=watch)


def status(id_: str, options: Options, *, watch: bool) -> int:
    """Raises NotFound where there was no job."""
    with options.client() as client:
        return _follow(client, id_, _last(client, id_), options, watch=watch)


def cancel(id_: str, options: Options) -> int:
    """Raises NotFound where there was no job, NotNow where it has ended."""
    with options.client() as client:
        job = client.cancel_provisioning(_last(client, id_).id)
        _show(client, id_, job, options)
    return DONE


def _last(client: Client, id_: str) -> Provisioning:
    jobs = client.provisionings(id_).items
    if not jobs:
        raise NotFound(f"nothing was done with {id_} at the CMS: acmx provision {id_} --push")
    return jobs[0]


def _follow(client: Client, id_: str, job: Provisioning, options: Options, *, watch: bool) -> int:
    if watch:
        try:
            job = _watch(client, job)
        except KeyboardInterrupt:
            note(f"No longer watching; the job goes on: acmx provision {id_} --status --watch")
            return INTERRUPTED
    _show(client, id_, job, options)
    if not _ended(job):
        return NOT_YET
    return DONE if job.state == "done" and set(job.counts) <= {"written", "unchanged"} else FAILED


def _watch(client: Client, job: Provisioning) -> Provisioning:
    """Until it has ended."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=err(), transient=True, disable=not err().is_terminal) as progress:
        bar = progress.add_task(job.mode, total=job.total)
        while not _ended(job):
            waits = plain(job.last_error or "").replace("[", "(").replace("]", ")")
            done = sum(count for state, count in job.counts.items() if state != "waiting")
            progress.update(bar, completed=done, description=f"{job.mode} {waits}".strip())
            time.sleep(EVERY)
            try:
                job = client.provisioning(job.id)
            except (Unreachable, TemporarilyUnavailable) as error:
                progress.update(bar, description=plain(error.title()))
    return job


def _show(client: Client, id_: str, job: Provisioning, options: Options) -> None:
    found = (
        row
        for state in TO_SHOW
        if job.counts.get(state)
        for row in client.all_provisioning_rows(job.id, state)
    )
    report = Report(job, list(found if options.json else islice(found, SHOWN)))
    options.show(report, lambda: _draw(id_, report))


def _draw(id_: str, report: Report) -> None:
    job = report.job
    counted = ", ".join(f"{count:,} {state}" for state, count in job.counts.items())
    out().print(
        facts(
            {
                "exchange": job.exchange,
                "partner": job.partner,
                "mode": job.mode,
                "state": job.state,
                "documents": f"{job.total:,}: {counted or 'none begun'}",
                "catalogue": f"version {job.catalogue}",
                "template": f"version {job.template}" if job.template else "defaults only",
                "started": f"{moment(job.started_at)} by {job.started_by}",
                "ended": moment(job.ended_at),
                "why": job.last_error,
                "next attempt": moment(job.next_attempt_at),
            }
        )
    )
    if report.rows:
        rows = table("user", "service", "state", "why")
        for row in report.rows:
            rows.add_row(cell(row.xui), cell(row.service), cell(row.state), cell(row.detail))
        out().print(rows)
    more = sum(job.counts.get(state, 0) for state in TO_SHOW) - len(report.rows)
    if more > 0 and report.rows:
        note(f"There is more, {more:,}: acmx provision {id_} --status --json")
    waiting = job.counts.get("waiting", 0)
    if not _ended(job):
        note(f"The job goes on: acmx provision {id_} --status --watch")
    elif waiting:
        note(f"{waiting:,} documents were not begun.")


def _ended(job: Provisioning) -> bool:
    return job.state not in ("preparing", "running")
