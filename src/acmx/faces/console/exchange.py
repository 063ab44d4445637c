"""One exchange."""

from starlette.responses import Response

from acmx.faces.acm1 import requests
from acmx.faces.console.visit import Visit


async def get_exchange(visit: Visit) -> Response:
    exchange = await visit.ask(requests.get_request, id=visit.named("id"))
    return visit.page("exchange.html", exchange=exchange)
