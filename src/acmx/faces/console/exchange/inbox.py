"""What waits for the person, and what ends soon: steps 9, 10 and 17 as a page."""

from datetime import timedelta

from msgspec import Struct
from starlette.responses import Response

from acmx.domain.acm1 import Summary
from acmx.faces.acm1 import requests
from acmx.faces.console.visit import Visit

SOON = timedelta(hours=72)


class Waiting(Struct, frozen=True):
    """One list of the inbox; `name` names its texts."""

    name: str
    items: list[Summary]


async def get_inbox(visit: Visit) -> Response:
    pending = await visit.ask(requests.get_pending, query=visit.asked("after"))
    lists = [
        Waiting("to_decide", pending.to_decide),
        Waiting("to_answer", pending.to_answer),
        Waiting("to_fetch", pending.to_fetch),
        Waiting("to_release", pending.to_release),
    ]
    waiting = [one for one in lists if one.items]
    ends = visit.acm1.desk.house.clock() + SOON
    soon = {
        item.id
        for one in lists
        if one.name != "to_fetch"
        for item in one.items
        if item.expires_at is not None and item.expires_at <= ends
    }
    count = sum(len(one.items) for one in lists)
    return visit.page("inbox.html", waiting=waiting, soon=soon, count=count, next=pending.next)
