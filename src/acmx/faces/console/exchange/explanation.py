"""Who or what decided an exchange, and on what."""

from starlette.responses import Response

from acmx.faces.acm1 import rules
from acmx.faces.console.exchange.exchanges import to_typed
from acmx.faces.console.visit import Visit


async def get_explanation(visit: Visit) -> Response:
    explanation = await visit.ask(rules.get_explanation, id=visit.named("id"))
    return visit.page("explanation.html", explanation=explanation)


async def find_explanation(visit: Visit) -> Response:
    return to_typed(visit, "explanation", "/policy")
