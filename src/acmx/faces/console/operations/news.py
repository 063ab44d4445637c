"""The bell: what happened in what concerns the person. What waits for them is the inbox's business."""

from starlette.responses import Response

from acmx.domain.acm1 import Notice
from acmx.domain.telling import IN_WORDS, PARTNER_CHANGE
from acmx.faces.acm1 import records
from acmx.faces.console.exchange.exchanges import purposes
from acmx.faces.console.visit import Visit

ROWS = 50
NAMED = 200


async def get_news(visit: Visit) -> Response:
    page = await visit.ask(records.get_news, query={**visit.asked("after"), "limit": ROWS})
    return visit.page(
        "news.html", page=page, words=IN_WORDS, partner_of=_partner, purposes=await purposes(visit, NAMED)
    )


async def get_newest(visit: Visit) -> Response:
    """The serial of what happened last, 0 where nothing did: for the dot at the bell, at every look."""
    page = await visit.ask(records.get_news, query={"limit": 1})
    return Response(str(page.items[0].serial if page.items else 0), media_type="text/plain")


def _partner(notice: Notice) -> str | None:
    """Of whom it tells, where that is a partner and no exchange."""
    if notice.event == PARTNER_CHANGE:
        return notice.exchange
    return notice.primary if notice.audience == "partner-administrators" else None
