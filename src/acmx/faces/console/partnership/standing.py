"""Suspending, resuming and removing a partner: each asks once more before it is done."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response

from acmx.domain.acm1 import Partner
from acmx.domain.errors import AcmxError
from acmx.faces.acm1 import partners
from acmx.faces.acm1.calls import Call
from acmx.faces.console.visit import Visit


async def get_suspension(visit: Visit) -> Response:
    return await _sure(visit, "suspension")


async def post_suspension(visit: Visit) -> Response:
    reason = visit.form.line("reason")
    given = {"reason": reason} if reason else {}
    return await _done(visit, "suspension", partners.post_suspension, given, "suspended")


async def get_resumption(visit: Visit) -> Response:
    return await _sure(visit, "resumption")


async def post_resumption(visit: Visit) -> Response:
    return await _done(visit, "resumption", partners.post_resumption, {}, "resumed")


async def get_removal(visit: Visit) -> Response:
    return await _sure(visit, "removal")


async def post_removal(visit: Visit) -> Response:
    given = {"reason": visit.form.line("reason")}
    return await _done(visit, "removal", partners.post_removal, given, "removed")


async def _done(
    visit: Visit,
    act: str,
    handle: Callable[[Call], Awaitable[Partner]],
    given: dict[str, Any],
    told: str,
) -> Response:
    id_ = visit.named("id")
    try:
        await visit.ask(handle, given, id=id_)
    except AcmxError as error:
        return await _sure(visit, act, error)
    return visit.go(f"/partners/{id_}", told)


async def _sure(visit: Visit, act: str, error: AcmxError | None = None) -> Response:
    """The page that asks; `act` names its texts."""
    partner = await visit.ask(partners.get_partner, id=visit.named("id"))
    return visit.page("partner_sure.html", error, partner=partner, act=act, reason=visit.form.one("reason"))
