"""An error as a problem document (RFC 9457)."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from acmx.domain.comparison import UUID7
from acmx.domain.errors import (
    AcmxError,
    InsufficientScope,
    NotAuthenticated,
    NotFound,
    WrongMethod,
)
from acmx.domain.messages import PROBLEM

EXCHANGE_ID = re.compile(UUID7)


async def _not_found(_request: Request, _error: Exception) -> Response:
    return problem(NotFound())


async def _wrong_method(_request: Request, error: Exception) -> Response:
    response = problem(WrongMethod())
    if isinstance(error, HTTPException):
        response.headers.update(error.headers or {})
    return response


async def _internal(request: Request, _error: Exception) -> Response:
    """The log, which gets the traceback next, shall say which exchange it is about."""
    if EXCHANGE_ID.fullmatch(id_ := request.path_params.get("id", "")):
        bind_contextvars(exchange=id_)
    return problem(AcmxError())


_HANDLERS = {404: _not_found, 405: _wrong_method, Exception: _internal}
"""What Starlette answers by itself, as problem documents too."""


class _WithoutNul:
    """Nothing has U+0000 in its name, and no database need be asked for it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        named = scope["type"] == "http" and ("\0" in scope["path"] or b"%00" in scope["query_string"])
        await (problem(NotFound()) if named else self._app)(scope, receive, send)


def application(routes: Sequence[BaseRoute]) -> Starlette:
    """These paths and no others: a slash more is not found, and nobody is sent elsewhere."""
    app = Starlette(routes=routes, exception_handlers=_HANDLERS, middleware=[Middleware(_WithoutNul)])
    app.router.redirect_slashes = False
    return app


def problem(error: AcmxError) -> Response:
    document: dict[str, Any] = {
        "type": PROBLEM + error.type,
        "title": error.title(),
        "status": error.status,
        "detail": error.detail,
        **{name: value for name, value in error.members.items() if value is not None},
    }
    return Response(
        msgspec.json.encode(document),
        error.status,
        media_type="application/problem+json",
        headers=_headers(error),
    )


def _headers(error: AcmxError) -> dict[str, str]:
    """What RFC 6750 and RFC 9110 ask for."""
    if isinstance(error, NotAuthenticated):
        return {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    if isinstance(error, InsufficientScope):
        return {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{error.members["scope"]}"'}
    return retry_after(error)


def retry_after(error: AcmxError) -> dict[str, str]:
    """The header, where the error says how many seconds."""
    seconds = error.members.get("retry_after")
    return {} if seconds is None else {"Retry-After": str(seconds)}
