"""A message of the partner: taken by the flow of its type, and answered once what it changed is durable (law 1)."""

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Literal

import msgspec
from msgspec import Struct

from acmx.domain.errors import (
    AcmxError,
    Contradiction,
    PlaceTaken,
    TemporarilyUnavailable,
    UnknownExchange,
)
from acmx.domain.messages import (
    Answer,
    Message,
    Question,
    Refusal,
    Request,
    Response,
    Revocation,
    Update,
    Withdrawal,
)
from acmx.domain.moments import to_ms
from acmx.flows.acm2 import (
    arrivals,
    receive_answer,
    receive_question,
    receive_request,
    receive_response,
    receive_revocation,
    receive_update,
    receive_withdrawal,
    replies,
)
from acmx.flows.acm2.arrivals import Arrived
from acmx.flows.carry_out import carry_out
from acmx.flows.house import House
from acmx.flows.people.refusals import Refusals
from acmx.storage.engine import Store, Tx
from acmx.storage.exchange import exchanges
from acmx.storage.partnership import partners


class Reply(Struct, frozen=True):
    """A body to be signed as `typ` and sent with the HTTP status; `retry_after`: seconds, 0 for no such header."""

    status: int
    typ: Literal["acm-receipt", "acm-refusal"]
    body: bytes
    retry_after: int = 0


Apply = Callable[[Tx], Reply]
FLOWS: dict[type[Message], ModuleType] = {
    Request: receive_request,
    Response: receive_response,
    Withdrawal: receive_withdrawal,
    Question: receive_question,
    Answer: receive_answer,
    Update: receive_update,
    Revocation: receive_revocation,
}


COMPARED = (PlaceTaken, Contradiction, UnknownExchange)
"""Refusals after which the two systems compare what they hold."""


async def receive(house: House, store: Store, refusals: Refusals, arrived: Arrived) -> Reply:
    """The signed-to-be reply. Never raises an AcmxError: each is a refusal."""
    try:
        return await carry_out(store, partial(_prepare, house, arrived=arrived), lambda tx, act: act(tx))
    except AcmxError as error:
        return await refuse(house, store, refusals, arrived, error)


async def refuse(house: House, store: Store, refusals: Refusals, arrived: Arrived, error: AcmxError) -> Reply:
    """Audit the refusal (and keep it if it is final), then answer it."""
    await refusals.write_counts()
    first = refusals.first(arrived.peer, error.type)

    def keep(tx: Tx, _: None) -> bytes:
        return _keep_refusal(house, tx, arrived, error, first=first)

    try:
        body = await carry_out(store, lambda _: None, keep)
    except AcmxError as unavailable:
        if first:
            refusals.missed(arrived.peer, error.type)
        body = msgspec.json.encode(replies.problem(house, arrived, unavailable, house.clock()))
    return _refusal(body, int(str(error.members.get("retry_after", 0))))


def _prepare(house: House, tx: Tx, arrived: Arrived) -> Apply:
    arrivals.admit(tx, arrived)
    if (held := arrivals.held(tx, arrived)) is not None and held.reply is not None:
        reply = _refusal(held.reply) if held.type == "refused" else _receipt(held.reply)
        return lambda _: reply
    message = arrivals.decode(house, arrived)
    if isinstance(message, Withdrawal):
        _not_forgotten(tx, arrived)
    flow = FLOWS[type(message)]
    plan = flow.prepare(house, tx, arrived, message)
    return lambda tx: _receipt(flow.apply(tx, plan))


def _not_forgotten(tx: Tx, arrived: Arrived) -> None:
    """Before the first comparison after a start, an exchange that is not known here is not ended for good.

    Raises TemporarilyUnavailable: this system may have been restored, and have decided it before.
    """
    if exchanges.find(tx, arrived.primary, arrived.id) is None and partners.awaits_first(tx, arrived.peer):
        raise TemporarilyUnavailable("what both systems hold is compared first; try again")


def _keep_refusal(house: House, tx: Tx, arrived: Arrived, error: AcmxError, *, first: bool) -> bytes:
    if error.final:
        _not_forgotten(tx, arrived)
    if isinstance(error, COMPARED):
        partners.to_compare(tx, arrived.peer, to_ms(house.clock()), error.type)
    return replies.keep_refusal(house, tx, arrived, error, journalled=first)


def _receipt(body: bytes) -> Reply:
    return Reply(200, "acm-receipt", body)


def _refusal(body: bytes, retry_after: int = 0) -> Reply:
    return Reply(msgspec.json.decode(body, type=Refusal).status, "acm-refusal", body, retry_after)
