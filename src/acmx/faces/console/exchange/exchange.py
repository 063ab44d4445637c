"""One exchange: its facts, the picture of its 18 steps, its journal, what it holds; and its evidence, to be kept."""

import msgspec
from msgspec.structs import replace
from starlette.responses import Response

from acmx.domain.acm1 import Exchange
from acmx.faces.acm1 import evidence, partners, requests
from acmx.faces.console import downloads
from acmx.faces.console.exchange.picture import picture
from acmx.faces.console.exchange.review import flattened
from acmx.faces.console.visit import Visit
from acmx.kinds import GIVING


async def get_exchange(visit: Visit) -> Response:
    exchange = await _held_up(visit, await visit.ask(requests.get_request, id=visit.named("id")))
    return visit.page(
        "exchange.html",
        exchange=exchange,
        giving=exchange.kind in GIVING,
        picture=picture(exchange, visit.acm1.desk.house.system),
        fields=dict(flattened(exchange)),
    )


async def post_evidence(visit: Visit) -> Response:
    """The file that `acmx evidence` writes."""
    file = await visit.ask(evidence.post_evidence, id=visit.named("id"))
    name = f"evidence-{file.evidence.exchange}.json"
    content = msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n"
    return downloads.file(name, content, "application/json")


async def _held_up(visit: Visit, exchange: Exchange) -> Exchange:
    """What waits, with the back-off and the error of the link while that is down."""
    if not exchange.waiting:
        return exchange
    link = await visit.ask(partners.get_partner, id=exchange.partner)
    retry = link.next_attempt_at
    if retry is None:
        return exchange
    waiting = [
        replace(
            queued,
            next_attempt_at=max(queued.next_attempt_at, retry),
            last_error=queued.last_error or link.last_error,
        )
        for queued in exchange.waiting
    ]
    return replace(exchange, waiting=waiting)
