"""One request of somebody who has signed in: what ACM-1 is asked for them, and the answer in HTML."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp

from acmx.domain.documents import encode, read
from acmx.domain.errors import AcmxError, FaultyInput
from acmx.faces.acm1.app import Acm1
from acmx.faces.acm1.calls import Call, Served
from acmx.faces.acm1.routes import ROUTES
from acmx.faces.console.forms import Form
from acmx.faces.console.rendering import render
from acmx.trust.roles import Caller, Permission

BASE = "/console"
T = TypeVar("T")
_ROWS: dict[Callable[[Call], Awaitable[Any]], Served] = {row.handle: row for row in ROUTES}


@dataclass(frozen=True)
class Visit:
    """`token` is the bearer token of the session; `form` is empty unless the request is a POST."""

    acm1: Acm1
    pages: "Sequence[Page]"
    request: Request
    caller: Caller
    token: str
    form: Form

    async def ask(
        self,
        handle: Callable[[Call], Awaitable[T]],
        given: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, object] | None = None,
        key: str = "",
        **named: str,
    ) -> T:
        """What this route of ACM-1 answers the person: a function of `faces.acm1`, its body, query, and path.

        `key` is the Idempotency-Key. Raises what the route raises, NotAllowed too.
        """
        row = _ROWS[handle]
        await self.acm1.permit(self.caller, row.permission, row.path)
        body = read(encode(given or {}), row.takes) if row.takes else None
        return await handle(Call(self.acm1.desk, self._as_acm1(query, key, named), self.caller, body))

    def page(self, template: str, error: AcmxError | None = None, **given: Any) -> Response:
        """The template, filled with what is given; with an error its status, and its `faults` where none are given."""
        faults = error.faults if isinstance(error, FaultyInput) else ()
        shown = [page for page in self.pages if page.nav and self.caller.may(page.permission)]
        content = render(
            template,
            caller=self.caller,
            may=self.caller.may,
            nav=shown,
            path=self.request.url.path.removeprefix(BASE),
            query=dict(self.request.query_params),
            system=self.acm1.desk.house.system,
            now=self.acm1.desk.house.clock(),
            error=error,
            **{"faults": faults} | given,
        )
        return Response(content, error.status if error else 200, media_type="text/html")

    def go(self, path: str, told: str = "") -> Response:
        """To another page, which says the text `told.<told>`."""
        return RedirectResponse(BASE + path + (f"?told={told}" if told else ""), 303)

    def named(self, parameter: str) -> str:
        """A part of the path."""
        value: str = self.request.path_params[parameter]
        return value

    def asked(self, *names: str) -> dict[str, str]:
        """Those of these parameters of the query that say something."""
        return {name: value for name in names if (value := self.request.query_params.get(name, "").strip())}

    def _as_acm1(self, query: Mapping[str, object] | None, key: str, named: Mapping[str, str]) -> Request:
        headers = [(b"authorization", f"Bearer {self.token}".encode()), (b"idempotency-key", key.encode())]
        scope = {
            "type": "http",
            "headers": headers,
            "query_string": urlencode(query or {}).encode(),
            "path_params": dict(named),
            "client": self.request.scope["client"],
        }
        return Request(scope)


@dataclass(frozen=True)
class Page:
    """A row of the table of pages; `nav` names its text in the navigation, in which it stands unless that is empty."""

    method: Literal["GET", "POST"]
    path: str
    permission: Permission
    handle: Callable[[Visit], Awaitable[ASGIApp]]
    nav: str = ""
