"""The exchanges that the person may see, newest first."""

from urllib.parse import quote

from starlette.responses import Response

from acmx.domain.exchange import State
from acmx.faces.acm1 import partners as partner_routes
from acmx.faces.acm1 import requests
from acmx.faces.console.visit import Visit

ROWS = 50


async def get_exchanges(visit: Visit) -> Response:
    chosen = visit.asked("state", "partner")
    partners = []
    if visit.caller.may("partners-read"):
        partners = [partner.id for partner in (await visit.ask(partner_routes.get_partners)).items]
    page = await visit.ask(requests.get_requests, query={**visit.asked("after"), **chosen, "limit": ROWS})
    return visit.page("exchanges.html", page=page, chosen=chosen, states=list(State), partners=partners)


async def purposes(visit: Visit, newest: int) -> dict[tuple[str, str], str]:
    """What for, by primary system and id: of so many of the exchanges that the person may see."""
    page = await visit.ask(requests.get_requests, query={"limit": newest})
    return {(item.primary, item.id): item.purpose for item in page.items}


def to_typed(visit: Visit, page: str, back: str) -> Response:
    """To this page of the exchange whose id was typed."""
    id_ = visit.asked("id").get("id")
    return visit.go(f"/exchanges/{quote(id_, safe=':')}/{page}" if id_ else back)
