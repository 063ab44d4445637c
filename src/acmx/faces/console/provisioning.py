"""From answer to device: what would be put on the own CMS, what that would change, and what became of it."""

import asyncio

from starlette.responses import Response

from acmx.domain.acm1 import Documents, Exchange, Provisioning
from acmx.domain.errors import AcmxError, FaultyInput, NotFound, NotNow
from acmx.faces.acm1 import provisioning, requests
from acmx.faces.acm1.calls import LONGEST_PAGE
from acmx.faces.acm1.provisioning import STATES
from acmx.faces.console import downloads
from acmx.faces.console.exchange.exchanges import to_typed
from acmx.faces.console.visit import Visit
from acmx.kinds import GIVING

ROWS = 50
UNDER_WAY = ("preparing", "running")


async def get_provisioning(visit: Visit) -> Response:
    return await _page(visit)


async def find_provisioning(visit: Visit) -> Response:
    return to_typed(visit, "provisioning", "/exchanges")


async def post_provisioning(visit: Visit) -> Response:
    """A job begins, unless one has begun since the page was made: a form that is sent twice begins one."""
    if await _newest(visit) != visit.form.one("last"):
        return visit.go(_place(visit), "job_under_way")
    given = {
        "mode": visit.form.one("mode"),
        "rel13": visit.form.one("rel13") == "true",
        "users": visit.form.lines("users"),
    }
    try:
        await visit.ask(provisioning.post_provisioning, given, id=visit.named("id"))
    except AcmxError as error:
        if await _newest(visit) != visit.form.one("last"):
            return visit.go(_place(visit), "job_under_way")
        return await _page(visit, error)
    return visit.go(_place(visit), "job_begun")


async def get_removal(visit: Visit) -> Response:
    """The last look before the documents are taken out of the CMS."""
    return visit.page(
        "provisioning_removal.html",
        exchange=await _seen(visit),
        id=visit.named("id"),
        place=f"/console{_place(visit)}",
        last=await _newest(visit),
    )


async def post_cancellation(visit: Visit) -> Response:
    await visit.ask(provisioning.post_cancellation, id=visit.form.one("job"))
    return visit.go(_place(visit), "job_cancelled")


async def get_documents(visit: Visit) -> Response:
    """A ZIP archive, as `acmx provision --out` lays the documents out."""
    documents = await visit.ask(provisioning.get_documents, id=visit.named("id"))
    packed = await asyncio.to_thread(downloads.archive, documents)
    return downloads.file(f"provisioning-{documents.id}.zip", packed, "application/zip")


async def _page(visit: Visit, error: AcmxError | None = None) -> Response:
    exchange = await _seen(visit)
    documents, missing = await _documents(visit) if exchange else (None, None)
    jobs = (await visit.ask(provisioning.get_provisionings, id=visit.named("id"))).items
    job = _chosen(jobs, visit.request.query_params.get("job"))
    idle = not any(one.state in UNDER_WAY for one in jobs)
    names_users = exchange is not None and exchange.kind in GIVING
    rows = None
    if job is not None:
        query = {**visit.asked("state", "after"), "limit": ROWS}
        rows = await visit.ask(provisioning.get_provisioning_rows, query=query, id=job.id)
    return visit.page(
        "provisioning.html",
        error,
        exchange=exchange,
        id=visit.named("id"),
        place=f"/console{_place(visit)}",
        documents=documents,
        missing=missing,
        names_users=names_users,
        jobs=jobs,
        job=job,
        under_way=job is not None and job.state in UNDER_WAY,
        idle=idle,
        removable=idle and any(one.mode == "push" for one in jobs),
        users=await _named(visit, jobs) if names_users else "",
        rows=rows,
        row_states=STATES,
        form=visit.form,
    )


async def _seen(visit: Visit) -> Exchange | None:
    """None where somebody else asked: an identity editor provisions that too, and sees only what becomes of it."""
    try:
        return await visit.ask(requests.get_request, id=visit.named("id"))
    except NotFound:
        return None


async def _documents(visit: Visit) -> tuple[Documents | None, AcmxError | None]:
    """What is made of the answer, or why nothing can be."""
    try:
        return await visit.ask(provisioning.get_documents, id=visit.named("id")), None
    except (FaultyInput, NotNow) as error:
        return None, error


def _chosen(jobs: list[Provisioning], id_: str | None) -> Provisioning | None:
    """The job that is asked for, else the newest. Raises NotFound."""
    if id_ is None:
        return jobs[0] if jobs else None
    found = next((job for job in jobs if job.id == id_), None)
    if found is None:
        raise NotFound
    return found


async def _named(visit: Visit, jobs: list[Provisioning]) -> str:
    """Whom the last job was for, a line each, as far as a page of its rows tells: preview, then push."""
    if visit.form.one("users") or not jobs or jobs[0].total > LONGEST_PAGE:
        return visit.form.one("users")
    rows = await visit.ask(provisioning.get_provisioning_rows, query={"limit": LONGEST_PAGE}, id=jobs[0].id)
    return "\n".join(dict.fromkeys(row.xui for row in rows.items if row.service != "ue"))


async def _newest(visit: Visit) -> str:
    jobs = (await visit.ask(provisioning.get_provisionings, id=visit.named("id"))).items
    return jobs[0].id if jobs else ""


def _place(visit: Visit) -> str:
    return f"/exchanges/{visit.named('id')}/provisioning"
