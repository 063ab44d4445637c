"""The console as an application: who has signed in is known before anything is looked at, and denied unless allowed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from acmx.domain.errors import (
    AcmxError,
    AssertedIdentity,
    InsufficientScope,
    NoIdentity,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    WrongMethod,
)
from acmx.faces.acm1.app import ASSERTED, Acm1
from acmx.faces.console import errors
from acmx.faces.console.forms import Form, form_of
from acmx.faces.console.guard import Guard, from_ourselves
from acmx.faces.console.people import cookies
from acmx.faces.console.people.door import HOME, Door, to_sign_in
from acmx.faces.console.people.provider import Provider
from acmx.faces.console.routes import PAGES
from acmx.faces.console.static_files import get_file
from acmx.faces.console.visit import BASE, Page, Visit
from acmx.faces.lasting import later
from acmx.flows.people.refusals import ANYBODY
from acmx.trust.roles import Caller

Handler = Callable[[Request], Awaitable[ASGIApp]]
Row = tuple[str, str, Handler]
STRANGE_FORM = "same-origin"


@dataclass(frozen=True)
class Console:
    """The pages of the console, beside ACM-1 on its listener."""

    acm1: Acm1
    provider: Provider | None

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", _to_home, methods=["GET"]),
            Route(BASE, _to_home, methods=["GET"]),
            Mount(BASE, Guard(self._app())),
        ]

    def _app(self) -> Starlette:
        shown = {404: _shown(NotFound), 405: _shown(WrongMethod), Exception: _shown(AcmxError)}
        app = Starlette(
            routes=[
                Route(path, self._guarded(handle), methods=[method])
                for method, path, handle in self._opened() + self._visited()
            ],
            exception_handlers=shown,
        )
        app.router.redirect_slashes = False
        return app

    def _opened(self) -> list[Row]:
        """For anybody."""
        door = Door(self.acm1, self.provider)
        return [
            ("GET", "/", _to_home),
            ("GET", "/static/{name}", get_file),
            ("GET", "/sign-in", door.show),
            ("POST", "/sign-in", door.sign_in),
            ("GET", "/sign-in/provider", door.ask_provider),
            ("GET", "/sign-in/answer", door.answer),
        ]

    def _visited(self) -> list[Row]:
        """For whom the table permits."""
        notify: Row = ("GET", "/notifications", self._notify)
        return [notify, *((page.method, page.path, partial(self._visit, page)) for page in PAGES)]

    def _guarded(self, handle: Handler) -> Handler:
        async def answer(request: Request) -> ASGIApp:
            try:
                if ASSERTED in request.headers:
                    raise AssertedIdentity
                if request.method == "POST" and not from_ourselves(request):
                    await self.acm1.refusals.note(ANYBODY, STRANGE_FORM, where=request.url.path)
                    raise NotAllowed("the form was not sent by a page of this console", rule=STRANGE_FORM)
                return await handle(request)
            except (InsufficientScope, NoIdentity, NotAuthenticated) as error:
                return to_sign_in(request) if request.method == "GET" else errors.page(error)
            except AcmxError as error:
                return errors.page(error)

        return answer

    async def _visit(self, page: Page, request: Request) -> ASGIApp:
        token, caller = await self._session(request)
        await self.acm1.permit(caller, page.permission, BASE + page.path)
        visit = partial(Visit, self.acm1, PAGES, request, caller, token)
        if page.method != "POST":
            return await page.handle(visit(Form({})))
        async with form_of(self.acm1.bodies, caller.account, request) as form:
            return await page.handle(visit(form))

    async def _notify(self, request: Request) -> ASGIApp:
        """The stream of ACM-1; whoever is not signed in is told by the status, and no browser asks again."""
        try:
            token, caller = await self._session(request)
        except (InsufficientScope, NoIdentity, NotAuthenticated):
            return Response(status_code=401)
        caller.must("read-own")
        return later(self.acm1.bell.answer(token, caller))

    async def _session(self, request: Request) -> tuple[str, Caller]:
        """The token, and who holds it. Raises NoIdentity, NotAuthenticated, InsufficientScope."""
        token = cookies.session_of(request)
        if not token:
            raise NoIdentity
        return token, await self.acm1.authentication.holder(token)


async def _to_home(_request: Request) -> Response:
    return RedirectResponse(HOME, 303)


def _shown(kind: type[AcmxError]) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(_request: Request, _error: Exception) -> Response:
        return errors.page(kind())

    return handle
