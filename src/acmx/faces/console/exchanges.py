"""The exchanges that the person may see, newest first."""

from starlette.responses import Response

from acmx.domain.exchange import State
from acmx.faces.acm1 import requests
from acmx.faces.console.visit import Visit

ROWS = 50


async def get_exchanges(visit: Visit) -> Response:
    chosen = visit.asked("state")
    page = await visit.ask(requests.get_requests, query={**visit.asked("after"), **chosen, "limit": ROWS})
    return visit.page("exchanges.html", page=page, chosen=chosen, states=[str(state) for state in State])
