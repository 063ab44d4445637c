"""Step 1 as pages: a form, a last look, and one submission. An identity editor gives by the same pages, without users.

What was filled in travels in the form from page to page, with the Idempotency-Key that makes it one however often it is
sent.
"""

from typing import get_args
from uuid import uuid4

from msgspec.structs import replace
from starlette.responses import Response

from acmx.domain.acm1 import Partner, Service, Submission
from acmx.domain.documents import convert
from acmx.domain.errors import AcmxError, FaultyInput, KeyReused, NotAllowed
from acmx.faces.acm1 import partners, requests
from acmx.faces.console.exchange.drafts import Draft, Kind, shown_faults, submission_of
from acmx.faces.console.visit import Visit

EARLIER = 50


async def get_form(visit: Visit, kind: Kind) -> Response:
    return await _form(visit, Draft(kind=kind, key=str(uuid4())))


async def post_draft(visit: Visit, kind: Kind) -> Response:
    """Adds users and stays, goes back, or on to the last look: what the pressed button says."""
    draft = Draft.of(visit.form, kind)
    try:
        draft = draft.with_file(visit.form.file("file"))
        act = visit.form.one("act")
        if act == "earlier":
            return await _form(visit, draft.with_users(await _users_of(visit)))
        if act == "back":
            return await _form(visit, draft)
        request = convert(submission_of(draft), Submission)
    except AcmxError as error:
        return await _form(visit, draft, error)
    return visit.page("new_request_sure.html", draft=draft, request=request)


async def post_submission(visit: Visit, kind: Kind) -> Response:
    """What is refused here is an exchange too, and is shown."""
    draft = Draft.of(visit.form, kind)
    try:
        accepted = await visit.ask(requests.post_request, submission_of(draft), key=draft.key)
    except NotAllowed as refused:
        if "exchange" not in refused.members:
            return await _form(visit, draft, refused)
        return visit.go(f"/exchanges/{refused.members['exchange']}", "refused_here")
    except AcmxError as error:
        return await _form(visit, draft, error)
    return visit.go(f"/exchanges/{accepted.id}", "submitted")


async def _users_of(visit: Visit) -> tuple[str, ...]:
    """Those of the earlier request that was chosen. Raises NotFound."""
    earlier = visit.form.one("earlier")
    return (await visit.ask(requests.get_request, id=earlier)).users if earlier else ()


async def _form(visit: Visit, draft: Draft, error: AcmxError | None = None) -> Response:
    """A key that made something else already is no longer used."""
    if isinstance(error, KeyReused):
        draft = replace(draft, key=str(uuid4()))
    known = await visit.ask(partners.get_partners)
    listed = await visit.ask(requests.get_requests, query={"limit": EARLIER})
    return visit.page(
        "new_request.html",
        error,
        draft=draft,
        partners=[one for one in known.items if _exchanges(one, draft.kind)],
        services=get_args(Service),
        earlier=[one for one in listed.items if one.role == "primary" and one.user_count],
        faults=shown_faults(error.faults) if isinstance(error, FaultyInput) else (),
    )


def _exchanges(partner: Partner, kind: Kind) -> bool:
    """Whether it may be asked for this now, by what it knows and by our terms."""
    return partner.state == "established" and kind.name in partner.kinds and kind.name in partner.terms.kinds
