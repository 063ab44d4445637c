"""ACM-2: what partner servers may call. The certificate names the partner, the signature must name the same one."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from acmx.domain import moments
from acmx.domain.documents import read
from acmx.domain.errors import AcmxError, AssertedIdentity, InvalidMessage, NotFound, UnknownExchange
from acmx.domain.faults import Fault
from acmx.domain.moments import to_ms
from acmx.domain.partnership import Statement
from acmx.faces.acm2.peers import Peers
from acmx.faces.body import Bodies, of_known
from acmx.faces.problems import EXCHANGE_ID, application, problem
from acmx.flows.acm2 import receive
from acmx.flows.acm2.arrivals import Arrived
from acmx.flows.acm2.receive import Reply
from acmx.flows.carry_out import confirmed
from acmx.flows.house import House
from acmx.flows.partnership import state_partnership
from acmx.flows.people.refusals import Refusals
from acmx.flows.reconciliation import tell_exchanges
from acmx.storage.engine import Store
from acmx.trust.own import Own
from acmx.trust.pinned import Pinned, pinned
from acmx.trust.signatures import body_digest, verify

NUMBER = re.compile(r"[1-9][0-9]{0,5}")
LARGEST_PAGE = 1000
SIGNATURE = "ACM-Signature"


@dataclass(frozen=True)
class Acm2:
    """The routes of ACM-2."""

    house: House
    store: Store
    own: Own
    peers: Peers
    refusals: Refusals
    bodies: Bodies = field(default_factory=of_known)

    def app(self) -> Starlette:
        routes = [
            Route(
                "/acm2/v1/exchanges/{primary}/{id}/messages/{n}",
                self._known(self._with_body(self._message)),
                methods=["PUT"],
            ),
            Route("/acm2/v1/exchanges", self._known(self._exchanges), methods=["GET"]),
            Route(
                "/acm2/v1/exchanges/{primary}/{id}/messages/{sender}/{n}",
                self._known(self._stored),
                methods=["GET"],
            ),
            Route("/acm2/v1/partnership", self._known(self._with_body(self._partnership)), methods=["POST"]),
            Route("/acm2/v1/metadata", self._known(self._metadata), methods=["GET"]),
        ]
        return application(routes)

    def _known(
        self, answer: Callable[[Request, Pinned], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            actor = request.client.host if request.client else "unknown"
            try:
                peer = self.peers.whose(request.scope["extensions"]["tls"]["peer_certificate"])
                actor = peer.metadata.system
                if "x-3gpp-asserted-identity" in request.headers:
                    raise AssertedIdentity
                return await answer(request, peer)
            except AcmxError as error:
                await self.refusals.note(actor, error.type, where=request.url.path, detail=error.detail)
                return problem(error)

        return handle

    def _with_body(
        self, answer: Callable[[Request, Pinned, bytes], Awaitable[Response]]
    ) -> Callable[[Request, Pinned], Awaitable[Response]]:
        async def handle(request: Request, peer: Pinned) -> Response:
            async with self.bodies.of(peer.metadata.system, request) as body:
                return await answer(request, peer, body)

        return handle

    async def _message(self, request: Request, peer: Pinned, body: bytes) -> Response:
        primary, id_, n = (request.path_params[name] for name in ("primary", "id", "n"))
        if not (EXCHANGE_ID.fullmatch(id_) and NUMBER.fullmatch(n)):
            raise NotFound("there is no such place for a message")
        sender = peer.metadata.system
        signature = request.headers.get(SIGNATURE)
        arrived = Arrived(sender, primary, id_, int(n), body, body_digest(body), signature or "")
        try:
            verify(
                signature,
                body,
                peer.keys,
                iss=sender,
                aud=self.house.system,
                typ="acm-message",
                exchange=f"{primary}/{id_}",
                n=arrived.n,
                now=self._now(),
            )
        except AcmxError as error:
            refused = await receive.refuse(self.house, self.store, self.refusals, arrived, error)
            return self._signed(refused, arrived)
        return self._signed(await receive.receive(self.house, self.store, self.refusals, arrived), arrived)

    async def _exchanges(self, request: Request, peer: Pinned) -> Response:
        query, sender = request.query_params, peer.metadata.system
        since, limit = _since(query.get("since", "")), _limit(query.get("limit", str(tell_exchanges.PAGE)))
        after = query.get("after", "")
        page = await confirmed(
            self.store,
            lambda tx: tell_exchanges.page(self.house, tx, sender, since=since, after=after, limit=limit),
        )
        seal = self.own.sign(page, to=sender, typ="acm-exchanges", now=self._now())
        return Response(page, media_type="application/json", headers={SIGNATURE: seal})

    async def _stored(self, request: Request, peer: Pinned) -> Response:
        """What is not there is refused with a signature, so that it is not taken for a fault of the link."""
        primary, id_, sender, n = (request.path_params[name] for name in ("primary", "id", "sender", "n"))
        if not (EXCHANGE_ID.fullmatch(id_) and NUMBER.fullmatch(n) and sender in ("primary", "partner")):
            raise NotFound("there is no such place for a message")
        to = peer.metadata.system
        exchange = f"{primary}/{id_}"
        try:
            stored = await confirmed(
                self.store,
                lambda tx: tell_exchanges.message(
                    self.house, tx, to, primary=primary, id_=id_, sender=sender, n=int(n)
                ),
            )
        except UnknownExchange as error:
            await self.refusals.note(to, error.type, where=request.url.path, detail=error.detail)
            refusal = problem(error)
            refusal.headers[SIGNATURE] = self.own.sign(
                bytes(refusal.body), to=to, typ="acm-refusal", now=self._now(), exchange=exchange, n=int(n)
            )
            return refusal
        seal = stored.signature or self.own.sign(
            stored.body, to=to, typ="acm-message", now=self._now(), exchange=exchange, n=int(n)
        )
        return Response(stored.body, media_type="application/json", headers={SIGNATURE: seal})

    async def _partnership(self, request: Request, peer: Pinned, body: bytes) -> Response:
        sender = peer.metadata.system
        signature = request.headers.get(SIGNATURE)
        verify(
            signature,
            body,
            peer.keys,
            iss=sender,
            aud=self.house.system,
            typ="acm-partnership",
            now=self._now(),
        )
        theirs = read(body, Statement, InvalidMessage)
        if (theirs.sender, theirs.receiver) != (sender, self.house.system):
            raise InvalidMessage([Fault("from", theirs.sender, "and `to` must be the two partners")])
        now = self.house.clock()
        partner = await self.store.write(partial(state_partnership.greeted, statement=theirs, at=to_ms(now)))
        self.own.hear_held(sender, partner.own_keys_there)
        ours = state_partnership.statement(
            self.house,
            pinned(partner.metadata),
            now,
            partner.state_here,
            self.own.metadata_digest,
            partner.reason_here,
        )
        seal = self.own.sign(ours, to=sender, typ="acm-partnership", now=self._now())
        return Response(ours, media_type="application/json", headers={SIGNATURE: seal})

    async def _metadata(self, _request: Request, peer: Pinned) -> Response:
        own, reader = self.own, peer.metadata.system
        seal = own.sign(own.metadata, to=own.system, typ="acm-metadata", now=self._now(), read_by=reader)
        return Response(own.metadata, media_type="application/json", headers={SIGNATURE: seal})

    def _signed(self, reply: Reply, arrived: Arrived) -> Response:
        seal = self.own.sign(
            reply.body,
            to=arrived.peer,
            typ=reply.typ,
            now=self._now(),
            exchange=f"{arrived.primary}/{arrived.id}",
            n=arrived.n,
        )
        media_type = "application/json" if reply.typ == "acm-receipt" else "application/problem+json"
        headers = {SIGNATURE: seal}
        if reply.retry_after:
            headers["Retry-After"] = str(reply.retry_after)
        return Response(reply.body, reply.status, media_type=media_type, headers=headers)

    def _now(self) -> int:
        return int(self.house.clock().timestamp())


def _since(text: str) -> int:
    """Milliseconds. Raises InvalidMessage."""
    try:
        return to_ms(moments.read(text))
    except ValueError:
        raise InvalidMessage([Fault("since", text[:50], "must be a time with an offset")]) from None


def _limit(text: str) -> int:
    """Raises InvalidMessage."""
    if not (NUMBER.fullmatch(text) and int(text) <= LARGEST_PAGE):
        raise InvalidMessage([Fault("limit", text[:50], f"must be a number from 1 to {LARGEST_PAGE}")])
    return int(text)
