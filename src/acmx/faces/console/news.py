"""The bell: what happened in what concerns the person. What waits for them is the inbox's business."""

from starlette.responses import Response

from acmx.domain.telling import IN_WORDS
from acmx.faces.acm1 import records, requests
from acmx.faces.console.visit import Visit

ROWS = 50
NAMED = 200


async def get_news(visit: Visit) -> Response:
    page = await visit.ask(records.get_news, query={**visit.asked("after"), "limit": ROWS})
    named = await visit.ask(requests.get_requests, query={"limit": NAMED})
    purposes = {(item.primary, item.id): item.purpose for item in named.items}
    return visit.page("news.html", page=page, words=IN_WORDS, purposes=purposes)
