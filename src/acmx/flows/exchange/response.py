"""The server identity information response that B sends for every outcome (step 13)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from acmx.domain.errors import UnknownExchange
from acmx.domain.messages import Agent, Automatic, Handler, Outcome, Request, Response, Verdict
from acmx.domain.moments import to_ms
from acmx.flows.exchange import outgoing
from acmx.flows.house import House
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored

GRANTED: tuple[Outcome, ...] = ("approved", "partly-approved")


class Decided(Struct, frozen=True):
    """The outcome over every user. `content` is what is disclosed, empty unless somebody is approved."""

    outcome: Outcome
    verdicts: tuple[Verdict, ...]
    handler: Handler | Agent | Automatic
    reason: str | None
    content: dict[str, Any] = {}
    rule: str | None = None
    catalogue: int | None = None

    @property
    def granted(self) -> bool:
        return self.outcome in GRANTED


def granted_by(response: Response) -> dict[str, Any]:
    """The columns of the exchange that follow from a response, at both systems."""
    handler = response.handler
    granted = response.outcome in GRANTED
    ends = to_ms(response.valid_until) if granted and response.valid_until else None
    return {
        "outcome": response.outcome,
        "reason": response.reason,
        "decided_by": handler.mc_service_id if isinstance(handler, Handler) else None,
        "grant_state": "live" if granted else None,
        "valid_from": to_ms(response.valid_from) if granted and response.valid_from else None,
        "valid_until": ends,
        "due_at": ends,
    }


def decided_over(request: Request) -> tuple[str, ...]:
    """Whom or what each review speaks of: the users, or the receiving system where none is named."""
    return request.users or (request.receiver,)


def outcome_of(verdicts: Sequence[Verdict]) -> Outcome:
    approvals = {verdict.approved for verdict in verdicts}
    if approvals == {True}:
        return "approved"
    return "partly-approved" if True in approvals else "declined"


def expired(request: Request) -> Decided:
    """Nobody decided in time."""
    verdict = Verdict(approved=False, users=request.users)
    return Decided("expired", (verdict,), Automatic(), "the request expired before it was decided")


def minted(house: House, exchange: Exchange, request: Stored, decided: Decided, at: datetime) -> Stored:
    """The response as it is stored and sent."""
    asked = read_request(request)
    response = Response(
        **outgoing.heading(house, exchange, at),
        answers=request.digest,
        asker=asked.asker,
        outcome=decided.outcome,
        handler=decided.handler,
        decided_at=at,
        verdicts=decided.verdicts,
        reason=decided.reason,
        valid_from=asked.valid_from if decided.granted else None,
        valid_until=asked.valid_until if decided.granted else None,
        content=decided.content,
    )
    return outgoing.minted(response, exchange.primary_system)


def read_request(stored: Stored) -> Request:
    """A request body that was checked when it was stored. Raises UnknownExchange once it is purged."""
    if not stored.body:
        raise UnknownExchange("its request was removed at the end of its retention")
    return msgspec.json.decode(stored.body, type=Request)
