"""Who or what decided an exchange, and on what."""

from urllib.parse import quote

from starlette.responses import Response

from acmx.faces.acm1 import rules
from acmx.faces.console.visit import Visit


async def get_explanation(visit: Visit) -> Response:
    explanation = await visit.ask(rules.get_explanation, id=visit.named("id"))
    return visit.page("explanation.html", explanation=explanation)


async def find_explanation(visit: Visit) -> Response:
    """To that of the exchange whose id was typed."""
    id_ = visit.request.query_params.get("id", "").strip()
    return visit.go(f"/exchanges/{quote(id_, safe=':')}/explanation" if id_ else "/policy")
