"""A face whose requests are spans."""

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Tracer
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from acmx.faces.problems import EXCHANGE_ID


class TracedFace:
    """An ASGI application. Its spans are named by method and route; of the path only the id of an exchange is kept."""

    def __init__(self, app: ASGIApp, face: str, tracer: Tracer) -> None:
        self._app = app
        self._face = face
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._tracer.start_as_current_span(
            self._face,
            Context(),
            SpanKind.SERVER,
            {"acmx.face": self._face},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:

            async def watched(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            try:
                await self._app(scope, receive, watched)
            finally:
                _name(span, scope)


def _name(span: Span, scope: Scope) -> None:
    """Only after the application has seen it is it known which route the path belongs to."""
    places: dict[str, str] = scope.get("path_params", {})
    if "endpoint" not in scope:
        return
    named = {value: f"{{{name}}}" for name, value in places.items()}
    route = "/".join(named.get(part, part) for part in scope["path"].split("/"))
    span.update_name(f"{scope['method']} {route}")
    span.set_attribute("http.request.method", scope["method"])
    span.set_attribute("http.route", route)
    if EXCHANGE_ID.fullmatch(places.get("id", "")):
        span.set_attribute("acmx.exchange", places["id"])
