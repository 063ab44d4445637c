"""An own request is taken back."""

from starlette.responses import Response

from acmx.domain.errors import AcmxError
from acmx.faces.acm1 import requests
from acmx.faces.console.visit import Visit


async def get_withdrawal(visit: Visit) -> Response:
    return await _page(visit)


async def post_withdrawal(visit: Visit) -> Response:
    reason = visit.form.line("reason")
    try:
        await visit.ask(requests.post_withdrawal, {"reason": reason} if reason else {}, id=visit.named("id"))
    except AcmxError as error:
        return await _page(visit, reason, error)
    return visit.go(f"/exchanges/{visit.named('id')}", "withdrawn")


async def _page(visit: Visit, reason: str = "", error: AcmxError | None = None) -> Response:
    exchange = await visit.ask(requests.get_request, id=visit.named("id"))
    return visit.page("withdrawal.html", error, exchange=exchange, reason=reason)
