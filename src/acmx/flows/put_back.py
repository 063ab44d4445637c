"""Carrying out what a comparison found in one exchange, in one transaction.

What the partner holds of us is put back as it was minted and waits for the partner's word again; what it holds of
its own is taken as if it had arrived. A request whose answer comes back with it is not decided a second time.
This is rare and prepares in the writer, so that an exchange is never seen half put back.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from acmx.domain.errors import AcmxError, InvalidMessage, UnknownExchange
from acmx.domain.exchange import Event, State, transition
from acmx.domain.messages import Answer, AnyMessage, Automatic, Question, Request, Response, Withdrawal
from acmx.domain.moments import to_ms
from acmx.flows import arrivals, contradict, outgoing, receive, receive_request, replies
from acmx.flows.arrivals import Arrived
from acmx.flows.change import begin, move
from acmx.flows.compare import Difference
from acmx.flows.conversation import last_question
from acmx.flows.house import House
from acmx.flows.response import granted_by
from acmx.flows.submit import exchange_of
from acmx.storage import exchanges, journal, messages, outbox
from acmx.storage.engine import Tx
from acmx.storage.exchanges import Exchange
from acmx.storage.messages import Stored


class Given(Struct, frozen=True):
    """A message that the partner gave back: its body, the signature that was checked, and what it says."""

    stored: Stored
    message: AnyMessage


def read(house: House, difference: Difference, stored: Stored) -> Given:
    """Raises InvalidMessage, WrongPartner, UnsupportedVersion where the body does not belong to its place."""
    arrived = _arrived(difference, stored)
    if stored.sender == difference.peer:
        return Given(stored, arrivals.decode(house, arrived))
    try:
        message = msgspec.json.decode(stored.body, type=AnyMessage)
    except msgspec.DecodeError as error:
        raise InvalidMessage([], str(error)) from None
    if (message.exchange, message.n, message.receiver) != (stored.id, stored.n, difference.peer):
        raise InvalidMessage([], "the body belongs to another place")
    return Given(stored, message)


def apply(house: House, tx: Tx, difference: Difference, given: Sequence[Given]) -> None:
    """Raises StaleError where the exchange changes meanwhile: the next comparison finds what is left."""
    now = to_ms(house.clock())
    answered = any(isinstance(one.message, Response) and one.stored.sender == house.system for one in given)
    for one in sorted(given, key=lambda one: _order(difference, one)):
        _put_back(house, tx, difference, one, answered=answered)
    for n in difference.sent:
        outbox.was_sent(tx, difference.primary, difference.id, n, now)
    for n in difference.again:
        _send_again(house, tx, difference, n, now)
    if difference.withdrawn:
        _end_withdrawn(tx, difference, now)


def _order(difference: Difference, one: Given) -> tuple[int, datetime, str]:
    """As they were minted, the request first; but a request that is withdrawn there is not taken up again."""
    message = one.message
    if difference.peer_withdrew and isinstance(message, Withdrawal):
        first = 0
    else:
        first = 1 if isinstance(message, Request) else 2
    return first, message.created_at, one.stored.digest


def _put_back(house: House, tx: Tx, difference: Difference, one: Given, *, answered: bool) -> None:
    held = contradict.rival(tx, one.stored, one.message)
    if held is not None:
        contradict.settle(house, tx, difference.peer, held, one.stored, one.message)
    elif one.stored.sender == difference.peer:
        _take(house, tx, difference, one, answered=answered)
    else:
        _restore(house, tx, difference, one)


def _take(house: House, tx: Tx, difference: Difference, one: Given, *, answered: bool) -> None:
    arrived = _arrived(difference, one.stored)
    try:
        arrivals.admit(tx, arrived)
        flow = receive.FLOWS[type(one.message)]
        plan = flow.prepare(house, tx, arrived, one.message)
    except AcmxError as error:
        replies.keep_refusal(house, tx, arrived, error)
        return
    if answered and isinstance(plan, receive_request.Plan):
        plan = msgspec.structs.replace(plan, decision=None)
    flow.apply(tx, plan)


def _restore(house: House, tx: Tx, difference: Difference, one: Given) -> None:
    """Our own message: the exchange moves as when it was minted, and it is sent again for the partner's word."""
    message, peer, now = one.message, difference.peer, to_ms(house.clock())
    detail: dict[str, object] = {"digest": one.stored.digest, "n": message.n, "restored": True}
    exchange = exchanges.find(tx, difference.primary, difference.id)
    if isinstance(message, Request) and exchange is None:
        exchange = begin(
            tx, exchange_of(message, to_ms(message.expires_at)), Event.SUBMITTED, peer, now, **detail
        )
    elif exchange is None:
        raise UnknownExchange("its request is missing")
    else:
        event, fields = _as_minted(tx, exchange, message)
        sent = max(exchange.sent_n, message.n)
        exchange = move(tx, exchange, event, peer, now, detail=detail, sent_n=sent, **fields)
    if isinstance(message, Withdrawal):
        outbox.remove(tx, exchange.primary_system, exchange.id, 1)
    kept = msgspec.structs.replace(one.stored, signature=None)
    outgoing.keep(tx, kept)
    outgoing.queue(tx, kept, peer, exchange.expires_at, first_sent_at=now)


def _as_minted(tx: Tx, exchange: Exchange, message: AnyMessage) -> tuple[Event, dict[str, Any]]:
    """The event that a message of ours stands for, and what it sets; RESTORED where the exchange has gone on."""
    if isinstance(message, Response):
        fields = granted_by(message)
        decided = Event.DECIDED_BY_RULE if isinstance(message.handler, Automatic) else Event.REVIEWED
        minted = Event.EXPIRED if message.outcome == "expired" else decided
        if transition(exchange.role, exchange.state, minted):
            return minted, fields
        return Event.RECONCILED, fields
    event = _said(tx, exchange, message)
    if transition(exchange.role, exchange.state, event) is None:
        return Event.RESTORED, {}
    return event, {"due_at": None} if event is Event.WITHDRAWAL_ASKED else {}


def _said(tx: Tx, exchange: Exchange, message: AnyMessage) -> Event:
    if isinstance(message, Withdrawal):
        return Event.WITHDRAWAL_ASKED
    if isinstance(message, Question):
        return Event.QUESTION_ASKED
    last = last_question(messages.of_exchange(tx, exchange.primary_system, exchange.id))
    to_the_last = isinstance(message, Answer) and last is not None and message.answers == last.digest
    return Event.ANSWER_SENT if to_the_last else Event.RESTORED


def _send_again(house: House, tx: Tx, difference: Difference, n: int, now: int) -> None:
    message = messages.at(tx, difference.primary, difference.id, house.system, n)
    exchange = exchanges.find(tx, difference.primary, difference.id)
    if message is None or not message.body or exchange is None:
        return
    ends_at = max(exchange.expires_at or 0, now)
    outgoing.queue(tx, message, exchange.partner, ends_at, first_sent_at=message.stored_at)
    journal.write(
        tx, now, "sent-again", difference.peer, primary=exchange.primary_system, id_=exchange.id, n=n
    )


def _end_withdrawn(tx: Tx, difference: Difference, now: int) -> None:
    exchange = exchanges.find(tx, difference.primary, difference.id)
    if exchange is None or exchange.state is not State.DECIDED:
        return
    ended: dict[str, Any] = dict.fromkeys(("outcome", "reason", "decided_by", "grant_state", "due_at"))
    move(tx, exchange, Event.WITHDRAWAL_STANDS, difference.peer, now, **ended)
    for queued in outbox.of_exchange(tx, exchange.primary_system, exchange.id):
        outbox.remove(tx, exchange.primary_system, exchange.id, queued.n)


def _arrived(difference: Difference, stored: Stored) -> Arrived:
    return Arrived(
        peer=difference.peer,
        primary=stored.primary_system,
        id=stored.id,
        n=stored.n,
        body=stored.body,
        digest=stored.digest,
        signature=stored.signature or "",
    )
