"""What a partner has changed of itself, before a person takes it: as it is pinned, and as the partner has it now."""

from starlette.responses import Response

from acmx.domain.errors import AcmxError, FaultyInput
from acmx.domain.faults import Fault
from acmx.faces.acm1 import partners
from acmx.faces.console.visit import Visit


async def get_change(visit: Visit) -> Response:
    return await _page(visit)


async def post_change(visit: Visit) -> Response:
    """Taken by whoever says to have asked the partner."""
    id_ = visit.named("id")
    try:
        if not visit.form.one("asked"):
            raise FaultyInput([Fault("asked", "", "must be said")])
        await visit.ask(partners.post_confirmation, {"seen": visit.form.one("seen")}, id=id_)
    except AcmxError as error:
        return await _page(visit, error)
    return visit.go(f"/partners/{id_}", "change_taken")


async def _page(visit: Visit, error: AcmxError | None = None) -> Response:
    id_ = visit.named("id")
    return visit.page(
        "partner_change.html",
        error,
        partner=await visit.ask(partners.get_partner, id=id_),
        change=await visit.ask(partners.get_change, id=id_),
    )
