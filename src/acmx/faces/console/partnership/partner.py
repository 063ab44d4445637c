"""One partner: everything that is known of it, and the walk to it step by step."""

from starlette.responses import Response

from acmx.domain.acm1 import Findings, QueuedMessage
from acmx.faces.acm1 import operations, partners
from acmx.faces.console.partnership.conditions import seen
from acmx.faces.console.visit import Visit
from acmx.kinds import KINDS

QUEUED = 10


async def get_partner(visit: Visit) -> Response:
    id_ = visit.named("id")
    partner = await visit.ask(partners.get_partner, id=id_)
    change = await visit.ask(partners.get_change, id=id_)
    queued: list[QueuedMessage] = []
    if partner.waiting and visit.caller.may("links"):
        query = {"partner": id_, "limit": QUEUED}
        queued = (await visit.ask(operations.get_outbox, query=query)).items
    return visit.page(
        "partner.html",
        one=seen(partner, visit.acm1.desk.house.clock()),
        partner=partner,
        change=change,
        kinds=list(KINDS),
        queued=queued,
    )


async def get_check(visit: Visit) -> Response:
    """Where a check is begun; it is made by a POST, for the partner hears from us."""
    return await _checked(visit, None)


async def post_check(visit: Visit) -> Response:
    return await _checked(visit, await visit.ask(operations.post_partner_check, id=visit.named("id")))


async def _checked(visit: Visit, findings: Findings | None) -> Response:
    partner = await visit.ask(partners.get_partner, id=visit.named("id"))
    return visit.page("partner_check.html", partner=partner, findings=findings)


async def post_comparison(visit: Visit) -> Response:
    """The common exchanges are compared as soon as the link allows."""
    await visit.ask(partners.post_comparison, id=visit.named("id"))
    return visit.go(f"/partners/{visit.named('id')}", "comparison_asked")
