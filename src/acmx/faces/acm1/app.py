"""ACM-1: what ACM clients may call. Who calls is known before anything is looked at; what is not allowed is denied."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from acmx.domain.acm1 import Credentials, SignIn
from acmx.domain.documents import encode, read
from acmx.domain.errors import (
    AcmxError,
    AssertedIdentity,
    InsufficientScope,
    NoIdentity,
    NotAllowed,
    NotAuthenticated,
)
from acmx.domain.networks import network_of
from acmx.faces.acm1.authentication import Authentication, address_of, bearer_of
from acmx.faces.acm1.calls import Call, Desk, Served
from acmx.faces.acm1.notifications import Bell
from acmx.faces.acm1.openapi import document
from acmx.faces.acm1.routes import ROUTES
from acmx.faces.body import Bodies, of_known, of_strangers
from acmx.faces.lasting import Lasting, later
from acmx.faces.problems import application, problem
from acmx.flows.people.refusals import ANYBODY, Refusals
from acmx.trust.roles import Caller, Permission

BASE = "/acm1/v1"
LONGEST_LOG_ON = 65_536
ASSERTED = "x-3gpp-asserted-identity"


@dataclass(frozen=True)
class Acm1:
    """The routes of ACM-1."""

    desk: Desk
    bell: Bell
    authentication: Authentication
    refusals: Refusals
    sign_in: SignIn
    bodies: Bodies = field(default_factory=of_known)
    log_ons: Bodies = field(default_factory=of_strangers)

    def app(self, *others: BaseRoute) -> ASGIApp:
        """`others` are served by the same listener."""
        face = application(
            [
                *others,
                Route(f"{BASE}/", _always(encode(self.sign_in)), methods=["GET"]),
                Route(f"{BASE}/openapi.json", _always(encode(document(ROUTES, BASE))), methods=["GET"]),
                Route("/health/live", self._show(self.desk.vitals.alive), methods=["GET"]),
                Route("/health/ready", self._show(self.desk.vitals.ready), methods=["GET"]),
                Route(f"{BASE}/sessions", self._guarded(self._log_on), methods=["POST"]),
                Route(f"{BASE}/notifications", self._guarded(self._notify), methods=["GET"]),
                *(
                    Route(BASE + row.path, self._guarded(partial(self._serve, row)), methods=[row.method])
                    for row in ROUTES
                ),
            ]
        )
        return Lasting(face)

    def _show(self, well: Callable[[], bool]) -> Callable[[Request], Awaitable[Response]]:
        """For whoever keeps the server running; strangers read it too, so it names parts and nothing else."""

        async def handle(_request: Request) -> Response:
            failing = {component.name for component in self.desk.vitals.components() if not component.ok}
            ok = well()
            document: dict[str, object] = {"ok": ok, "failing": sorted(failing)}
            if expiring := self.desk.vitals.expiring:
                document["expiring"] = len(expiring)
            return Response(encode(document), 200 if ok else 503, media_type="application/json")

        return handle

    def _guarded(
        self, answer: Callable[[Request], Awaitable[ASGIApp]]
    ) -> Callable[[Request], Awaitable[ASGIApp]]:
        async def handle(request: Request) -> ASGIApp:
            try:
                if ASSERTED in request.headers:
                    raise AssertedIdentity
                return await answer(request)
            except (AssertedIdentity, InsufficientScope, NoIdentity, NotAuthenticated) as error:
                await self.refusals.note(ANYBODY, error.type, where=request.url.path)
                return problem(error)
            except AcmxError as error:
                return problem(error)

        return handle

    async def _serve(self, row: Served, request: Request) -> Response:
        caller = await self.authentication.caller(request)
        await self.permit(caller, row.permission, row.path)
        if row.takes is None:
            return await self._answer(row, Call(self.desk, request, caller, None))
        async with self.bodies.of(caller.account, request) as body:
            return await self._answer(row, Call(self.desk, request, caller, read(body, row.takes)))

    async def _answer(self, row: Served, call: Call) -> Response:
        document = await row.handle(call)
        return Response(encode(document), row.status, media_type="application/json")

    async def permit(self, caller: Caller, permission: Permission | None, where: str) -> None:
        """Raises NotAllowed where a permission is needed that no role of the caller gives; that is journalled."""
        if permission is None:
            return
        try:
            caller.must(permission)
        except NotAllowed as error:
            await self.refusals.note(
                caller.mc_service_id, str(error.members["rule"]), where=where, **caller.by
            )
            raise

    async def _notify(self, request: Request) -> ASGIApp:
        caller = await self.authentication.caller(request)
        caller.must("read-own")
        return later(self.bell.answer(bearer_of(request), caller))

    async def _log_on(self, request: Request) -> Response:
        address = address_of(request)
        async with self.log_ons.of(network_of(address), request, LONGEST_LOG_ON) as body:
            session = await self.desk.passwords.log_on(read(body, Credentials), address)
        return Response(
            encode(session), 201, media_type="application/json", headers={"Cache-Control": "no-store"}
        )


def _always(content: bytes) -> Callable[[Request], Awaitable[Response]]:
    async def handle(_request: Request) -> Response:
        return Response(content, media_type="application/json")

    return handle
