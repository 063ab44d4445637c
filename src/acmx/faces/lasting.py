"""A response that lasts goes on when all that led to it has returned: an idle stream holds no frames of routing."""

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.types import ASGIApp, Receive, Scope, Send

_BEGUN = "acmx.lasting"


class Lasting:
    """A face whose application may answer `later`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun: list[Callable[[], Awaitable[None]]] = []
        scope[_BEGUN] = begun
        await self._app(scope, receive, send)
        if begun:
            await begun.pop()()


def later(response: ASGIApp) -> ASGIApp:
    """The response, with the headers of whoever stands around it, once the application has returned."""

    async def begin(scope: Scope, receive: Receive, send: Send) -> None:
        scope[_BEGUN].append(partial(response, scope, receive, send))

    return begin
