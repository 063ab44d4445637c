"""What waits for the asker: a question of the partner (step 12), and the answer to be fetched (step 18)."""

from starlette.responses import Response

from acmx.domain.errors import AcmxError
from acmx.domain.questions import unanswered
from acmx.faces.acm1 import requests
from acmx.faces.console.forms import whole
from acmx.faces.console.visit import Visit


async def get_answer(visit: Visit) -> Response:
    return await _page(visit)


async def post_answer(visit: Visit) -> Response:
    """To the question that the person saw above the form, whatever the partner has asked meanwhile."""
    text, question = visit.form.line("text"), whole(visit.form.one("question"), 0)
    try:
        await visit.ask(requests.post_answer, {"question": question, "text": text}, id=visit.named("id"))
    except AcmxError as error:
        return await _page(visit, text, question, error)
    return visit.go(f"/exchanges/{visit.named('id')}", "answered")


async def post_retrieval(visit: Visit) -> Response:
    """The partner's answer is fetched, and shown."""
    answer = await visit.ask(requests.post_retrieval, id=visit.named("id"))
    return visit.go(f"/exchanges/{answer.id}", "fetched")


async def _page(visit: Visit, text: str = "", question: int = 0, error: AcmxError | None = None) -> Response:
    """With a form for the question given, or for the first one that waits; what was typed stays at its question."""
    exchange = await visit.ask(requests.get_request, id=visit.named("id"))
    waiting = unanswered(exchange.conversation) if exchange.state == "more_information" else []
    meant = next((one for one in waiting if one.question == question), waiting[0] if waiting else None)
    kept = text if meant is not None and meant.question == question else ""
    return visit.page("answer.html", error, exchange=exchange, text=kept, meant=meant)
