"""Carrying out what a comparison found in one exchange, in one transaction.

What the partner holds of us is put back as it was minted and waits for the partner's word again; what it holds of
its own is taken as if it had arrived. A request whose answer comes back with it is not judged a second time.
This is rare and prepares in the writer, so that an exchange is never seen half put back.
"""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from acmx.domain.errors import AcmxError, InvalidMessage, UnknownExchange
from acmx.domain.exchange import Event
from acmx.domain.messages import (
    Answer,
    AnyMessage,
    Message,
    Question,
    Request,
    Response,
    Revocation,
    Update,
    Withdrawal,
)
from acmx.domain.moments import to_ms
from acmx.flows.acm2 import arrivals, receive, receive_request, replies
from acmx.flows.acm2.arrivals import Arrived
from acmx.flows.exchange import outgoing
from acmx.flows.exchange.change import begin, move
from acmx.flows.exchange.grant import LATER, standing
from acmx.flows.exchange.held import version_told
from acmx.flows.exchange.submit import exchange_of
from acmx.flows.house import House
from acmx.flows.reconciliation import contradict
from acmx.flows.reconciliation.as_minted import as_minted
from acmx.flows.reconciliation.compare import UNRELEASED, Difference, waits_in_vain
from acmx.flows.reconciliation.reissue import mint_anew
from acmx.storage import journal
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges, messages, outbox
from acmx.storage.exchange.messages import Stored

ORDER: dict[type[Message], int] = {
    Request: 1,
    Question: 2,
    Answer: 3,
    Response: 4,
    Update: 5,
    Revocation: 5,
    Withdrawal: 6,
}
"""In which messages are put back. The clocks of two systems do not say what came first."""


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
    answered = {
        one.message.answers
        for one in given
        if isinstance(one.message, Response) and one.stored.sender == house.system
    }
    aside: list[Stored] = []
    if difference.sent or difference.fetch:
        _restore_released(tx, difference, now)
    for one in sorted(given, key=lambda one: _order(difference, one)):
        aside += _put_back(house, tx, difference, one, answered)
    aside += _changes_of(house, tx, difference, aside)
    _count_sent(house, tx, difference)
    for n in difference.sent:
        outbox.was_sent(tx, difference.primary, difference.id, n, now)
    for n in difference.again:
        _send_again(house, tx, difference, n, now)
    if difference.withdrawn:
        _end_withdrawn(tx, difference, now)
    for lost in aside:
        mint_anew(house, tx, difference.peer, lost)
    if given:
        _credit(tx, difference)


def _order(difference: Difference, one: Given) -> tuple[int, int, str]:
    """The request first, each sender's in the order of `n`; one that is withdrawn there is not taken up again."""
    if difference.peer_withdrew and isinstance(one.message, Withdrawal):
        return 0, one.stored.n, one.stored.digest
    return ORDER[type(one.message)], one.stored.n, one.stored.digest


def _put_back(
    house: House, tx: Tx, difference: Difference, one: Given, answered: Collection[str]
) -> list[Stored]:
    """What of ours lost its place to it."""
    stored, message, peer = one.stored, one.message, difference.peer
    ours = stored.sender == house.system
    aside = []
    held = messages.at(tx, stored.primary_system, stored.id, stored.sender, stored.n)
    if held is not None and held.digest == stored.digest:
        return []
    if held is not None and not (held.type == "response" and isinstance(message, Response)):
        if not ours or isinstance(message, Request):
            contradict.fall(house, tx, peer, stored, held)
            return []
        contradict.set_aside(house, tx, peer, held, stored)
        aside.append(held)
    if isinstance(message, Response) and (other := _response(tx, stored)) is not None:
        contradict.settle(house, tx, peer, other, stored, message)
    elif ours:
        _restore(house, tx, difference, one)
    else:
        _take(house, tx, difference, one, answered)
    return aside


def _changes_of(house: House, tx: Tx, difference: Difference, aside: Sequence[Stored]) -> list[Stored]:
    """What changes a response that lost its place leaves its own: the partner takes it after that response alone."""
    response = next((lost for lost in aside if lost.type == "response"), None)
    if response is None or _response(tx, response) is not None:
        return []
    changes = [message for message in _ours(house, tx, difference) if message.type in LATER]
    for change in changes:
        messages.remove(tx, change)
        outbox.remove(tx, difference.primary, difference.id, change.n)
    return changes


def _count_sent(house: House, tx: Tx, difference: Difference) -> None:
    """The next message of ours follows the last one that has its place: the partner takes none after a gap."""
    exchange = exchanges.find(tx, difference.primary, difference.id)
    last = max((message.n for message in _ours(house, tx, difference)), default=0)
    if exchange is not None and exchange.sent_n != last:
        exchanges.replace(tx, msgspec.structs.replace(exchange, sent_n=last, version=exchange.version + 1))


def _ours(house: House, tx: Tx, difference: Difference) -> list[Stored]:
    stored = messages.of_exchange(tx, difference.primary, difference.id)
    return [message for message in stored if message.sender == house.system]


def _response(tx: Tx, other: Stored) -> Stored | None:
    stored = messages.of_exchange(tx, other.primary_system, other.id)
    return next((message for message in stored if message.type == "response"), None)


def _take(house: House, tx: Tx, difference: Difference, one: Given, answered: Collection[str]) -> None:
    arrived = _arrived(difference, one.stored)
    known = exchanges.find(tx, arrived.primary, arrived.id) is not None
    if isinstance(one.message, Request) and arrived.digest in answered and not known:
        receive_request.apply(tx, receive_request.taken_before(house, arrived, one.message))
        return
    try:
        arrivals.admit(tx, arrived)
        flow = receive.FLOWS[type(one.message)]
        plan = flow.prepare(house, tx, arrived, one.message)
    except AcmxError as error:
        replies.keep_refusal(house, tx, arrived, error)
        return
    if isinstance(plan, receive_request.Plan):
        plan = msgspec.structs.replace(plan, limits=None)
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
        event, fields = as_minted(tx, exchange, message)
        sent = max(exchange.sent_n, message.n)
        exchange = move(tx, exchange, event, peer, now, detail=detail, sent_n=sent, **fields)
    if isinstance(message, Withdrawal):
        outbox.remove(tx, exchange.primary_system, exchange.id, 1)
    kept = msgspec.structs.replace(one.stored, signature=None)
    outgoing.keep(tx, kept)
    outgoing.queue(tx, kept, peer, exchange.expires_at, first_sent_at=now)


def _restore_released(tx: Tx, difference: Difference, now: int) -> None:
    """The partner holds something of an exchange that was never released, as far as we remember: it was."""
    exchange = exchanges.find(tx, difference.primary, difference.id)
    request = messages.at(tx, difference.primary, difference.id, difference.primary, 1)
    if exchange is None or request is None or exchange.state not in UNRELEASED:
        return
    left: dict[str, Any] = {"due_at": exchange.expires_at, "reason": None, "decided_by": None}
    move(tx, exchange, Event.RESTORED, difference.peer, now, detail={"digest": request.digest}, **left)
    outgoing.queue(tx, request, difference.peer, exchange.expires_at, first_sent_at=now)


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
    if exchange is None or not waits_in_vain(tx, exchange):
        return
    ended: dict[str, Any] = dict.fromkeys(("outcome", "reason", "decided_by", "grant_state", "due_at"))
    move(tx, exchange, Event.WITHDRAWAL_STANDS, difference.peer, now, **ended)
    outbox.clear(tx, exchange.primary_system, exchange.id)
    for message in messages.of_exchange(tx, exchange.primary_system, exchange.id):
        if message.type == "response" or message.type in LATER:
            contradict.keep(tx, message, now)
            messages.remove(tx, message)


def _credit(tx: Tx, difference: Difference) -> None:
    """The primary knows what the last message that stands says of this system's server identities, and no more."""
    exchange = exchanges.find(tx, difference.primary, difference.id)
    stands = standing(messages.of_exchange(tx, difference.primary, difference.id))
    if exchange is not None and exchange.role == "partner" and stands is not None:
        exchanges.knows(tx, exchange, version_told(tx, stands))


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
