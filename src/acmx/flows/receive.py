"""A message of the partner: taken by the flow of its type, and answered once what it changed is durable (law 1)."""

from functools import partial
from typing import Literal

import msgspec
from msgspec import Struct

from acmx.domain.errors import AcmxError
from acmx.domain.messages import AnyMessage, Refusal, Request, Response
from acmx.flows import arrivals, receive_request, receive_response, receive_withdrawal, replies
from acmx.flows.arrivals import Arrived
from acmx.flows.carry_out import carry_out
from acmx.flows.house import House
from acmx.storage.engine import Store, Tx


class Reply(Struct, frozen=True):
    """A body to be signed as `typ` and sent with the HTTP status."""

    status: int
    typ: Literal["acm-receipt", "acm-refusal"]
    body: bytes


Plan = receive_request.Plan | receive_response.Plan | receive_withdrawal.Plan


async def receive(house: House, store: Store, arrived: Arrived) -> Reply:
    """The signed-to-be reply. Never raises an AcmxError: each is a refusal."""
    try:
        return await carry_out(store, partial(_prepare, house, arrived=arrived), _apply)
    except AcmxError as error:
        return await refuse(house, store, arrived, error)


async def refuse(house: House, store: Store, arrived: Arrived, error: AcmxError) -> Reply:
    """Audit the refusal (and keep it if it is final), then answer it."""
    try:
        body = await carry_out(
            store, lambda _: None, lambda tx, _: replies.keep_refusal(house, tx, arrived, error)
        )
    except AcmxError as unavailable:
        body = msgspec.json.encode(replies.problem(house, arrived, unavailable, house.clock()))
    return _refusal(body)


def _prepare(house: House, tx: Tx, arrived: Arrived) -> Plan | Reply:
    arrivals.admit(tx, arrived)
    if (held := arrivals.held(tx, arrived)) is not None and held.reply is not None:
        return _refusal(held.reply) if held.type == "refused" else _receipt(held.reply)
    message = arrivals.decode(house, arrived)
    return _prepare_message(house, tx, arrived, message)


def _prepare_message(house: House, tx: Tx, arrived: Arrived, message: AnyMessage) -> Plan:
    if isinstance(message, Request):
        return receive_request.prepare(house, tx, arrived, message)
    if isinstance(message, Response):
        return receive_response.prepare(house, tx, arrived, message)
    return receive_withdrawal.prepare(house, tx, arrived, message)


def _apply(tx: Tx, plan: Plan | Reply) -> Reply:
    if isinstance(plan, Reply):
        return plan
    if isinstance(plan, receive_request.Plan):
        return _receipt(receive_request.apply(tx, plan))
    if isinstance(plan, receive_response.Plan):
        return _receipt(receive_response.apply(tx, plan))
    return _receipt(receive_withdrawal.apply(tx, plan))


def _receipt(body: bytes) -> Reply:
    return Reply(200, "acm-receipt", body)


def _refusal(body: bytes) -> Reply:
    return Reply(msgspec.json.decode(body, type=Refusal).status, "acm-refusal", body)
