"""What waits for the asker: a question of the partner (step 12), and the answer to be fetched (step 18)."""

from starlette.responses import Response

from acmx.domain.errors import AcmxError
from acmx.faces.acm1 import requests
from acmx.faces.console.visit import Visit


async def get_answer(visit: Visit) -> Response:
    return await _page(visit)


async def post_answer(visit: Visit) -> Response:
    """To the question of the partner."""
    text = visit.form.line("text")
    try:
        await visit.ask(requests.post_answer, {"text": text}, id=visit.named("id"))
    except AcmxError as error:
        return await _page(visit, text, error)
    return visit.go(f"/exchanges/{visit.named('id')}", "answered")


async def post_retrieval(visit: Visit) -> Response:
    """The partner's answer is fetched, and shown."""
    answer = await visit.ask(requests.post_retrieval, id=visit.named("id"))
    return visit.go(f"/exchanges/{answer.id}", "fetched")


async def _page(visit: Visit, text: str = "", error: AcmxError | None = None) -> Response:
    exchange = await visit.ask(requests.get_request, id=visit.named("id"))
    return visit.page("answer.html", error, exchange=exchange, text=text)
