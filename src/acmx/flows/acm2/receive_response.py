"""Steps 13 and 14 at A: the partner's response is checked against the request and stored."""

from collections import Counter

from msgspec import Struct

from acmx.domain.errors import Contradiction, InvalidMessage, UnknownExchange
from acmx.domain.exchange import Event, transition
from acmx.domain.faults import Fault
from acmx.domain.messages import Handler, Request, Response
from acmx.domain.moments import to_ms, whole
from acmx.flows.acm2 import replies
from acmx.flows.acm2.arrivals import Arrived, in_order
from acmx.flows.exchange import outgoing
from acmx.flows.exchange.change import move
from acmx.flows.exchange.response import GRANTED, granted_by, outcome_of, read_request
from acmx.flows.house import House
from acmx.kinds import kind_named
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges, messages
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored


class Plan(Struct, frozen=True):
    """The exchange as it was read, what the partner said, and the receipt."""

    exchange: Exchange
    response: Response
    kept: Stored
    receipt: bytes


def prepare(house: House, tx: Tx, arrived: Arrived, response: Response) -> Plan:
    """Raises InvalidMessage (final); UnknownExchange, OutOfOrder, Contradiction (sent again)."""
    exchange = exchanges.find(tx, arrived.primary, arrived.id)
    request = messages.at(tx, arrived.primary, arrived.id, house.system, 1)
    if exchange is None or request is None or exchange.partner != arrived.peer:
        raise UnknownExchange
    check(request, response)
    in_order(tx, arrived)
    if transition(exchange.role, exchange.state, Event.RESPONSE) is None:
        raise Contradiction(f"the exchange is {exchange.state} here")
    now = whole(house.clock())
    receipt = replies.receipt(house, arrived, "stored", now)
    return Plan(exchange, response, replies.taken(arrived, "response", receipt, to_ms(now)), receipt)


def apply(tx: Tx, plan: Plan) -> bytes:
    """The receipt. Raises StaleError where the exchange has changed since it was read."""
    exchange, response = plan.exchange, plan.response
    handler = response.handler
    outgoing.keep(tx, plan.kept)
    move(
        tx,
        exchange,
        Event.RESPONSE,
        exchange.partner,
        plan.kept.stored_at,
        detail={
            "outcome": response.outcome,
            "digest": plan.kept.digest,
            "handler": handler.mc_service_id if isinstance(handler, Handler) else "policy",
            "step_12": to_ms(response.decided_at) if isinstance(handler, Handler) else None,
        },
        **granted_by(response),
        received_n=plan.kept.n,
    )
    return plan.receipt


def check(stored: Stored, response: Response) -> None:
    """Raises InvalidMessage where the response does not answer this request of ours."""
    request = read_request(stored)
    faults = [
        *_fault("answers", response.answers, stored.digest, "must be the digest of the request"),
        *_fault("asker", response.asker, request.asker, "must be the asker of the request"),
        *_verdict_faults(request, response),
        *_validity_faults(request, response),
    ]
    if faults:
        raise InvalidMessage(faults)
    if response.outcome in GRANTED:
        kind_named(request.kind).validate_response(request, response, InvalidMessage)
    elif response.content:
        raise InvalidMessage([Fault("content", "", "must be empty where nobody is approved")])


def _verdict_faults(request: Request, response: Response) -> list[Fault]:
    named = Counter(user for verdict in response.verdicts for user in verdict.users)
    if named != Counter(request.users):
        return [Fault("verdicts", "", "must name each user of the request exactly once")]
    if not request.users and len(response.verdicts) != 1:
        return [Fault("verdicts", str(len(response.verdicts)), "must be one where no user is named")]
    expected = outcome_of(response.verdicts)
    if response.outcome == "expired":
        expected = "expired" if expected == "declined" else expected
    return _fault("outcome", response.outcome, expected, "does not follow from the verdicts")


def _validity_faults(request: Request, response: Response) -> list[Fault]:
    """What is granted may be shorter than what was asked for, never longer."""
    if response.outcome not in GRANTED:
        return []
    begins, ends = response.valid_from, response.valid_until
    faults = []
    if request.valid_from and (begins is None or begins < request.valid_from):
        faults.append(Fault("valid_from", str(begins), "must not be before what was asked for"))
    if request.valid_until and (ends is None or ends > request.valid_until):
        faults.append(Fault("valid_until", str(ends), "must not be after what was asked for"))
    return faults


def _fault(field: str, is_: object, must: object, rule: str) -> list[Fault]:
    return [] if is_ == must else [Fault(field, str(is_), rule)]
