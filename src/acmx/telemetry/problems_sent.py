"""Every problem document that leaves a face, by its type."""

from collections.abc import Callable

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from acmx.domain.messages import PROBLEM

MEDIA_TYPE = (b"content-type", b"application/problem+json")


class _Problem(msgspec.Struct):
    type: str


class ProblemsSent:
    """`count(type)` is called with the last part of the type, one of the closed list."""

    def __init__(self, app: ASGIApp, count: Callable[[str], None]) -> None:
        self._app = app
        self._count = count
        self._problem = msgspec.json.Decoder(_Problem)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_problem = False

        async def watched(message: Message) -> None:
            nonlocal is_problem
            if message["type"] == "http.response.start":
                is_problem = message["status"] >= 400 and MEDIA_TYPE in message["headers"]
            elif is_problem and message.get("body"):
                self._count(self._problem.decode(message["body"]).type.removeprefix(PROBLEM))
            await send(message)

        await self._app(scope, receive, watched)
