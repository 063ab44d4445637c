"""What lost its place to an older message of this system that the partner holds is said under the next number.

The partner cannot have taken it: at its place it holds the other one. People have said or decided it all the same.
"""

import msgspec

from acmx.domain.exchange import UNDECIDED, Event
from acmx.domain.messages import Answer, AnyMessage, Question, Request, Response, Revocation, Update
from acmx.domain.moments import to_ms, whole
from acmx.flows.exchange import outgoing
from acmx.flows.exchange.change import move
from acmx.flows.exchange.conversation import last_question
from acmx.flows.exchange.grant import standing
from acmx.flows.house import House
from acmx.flows.reconciliation.as_minted import as_minted
from acmx.flows.reconciliation.compare import SENT_WHILE
from acmx.storage.engine import Tx
from acmx.storage.exchange import exchanges, messages
from acmx.storage.exchange.exchanges import Exchange
from acmx.storage.exchange.messages import Stored


def mint_anew(house: House, tx: Tx, peer: str, lost: Stored) -> None:
    """The same content with another `n` and `created_at`, unless it has no effect any more or has been said."""
    exchange = exchanges.find(tx, lost.primary_system, lost.id)
    if exchange is None:
        return
    message = msgspec.json.decode(lost.body, type=AnyMessage)
    if isinstance(message, Request | Update) or not _matters(tx, house.system, exchange, message):
        return
    now = whole(house.clock())
    fresh = msgspec.structs.replace(message, n=exchange.sent_n + 1, created_at=now)
    kept = outgoing.minted(fresh, exchange.primary_system)
    response = isinstance(message, Response)
    event, fields = (Event.RESTORED, {}) if response else as_minted(tx, exchange, message)
    detail: dict[str, object] = {"digest": kept.digest, "n": kept.n, "instead_of": lost.n}
    move(tx, exchange, event, peer, to_ms(now), detail=detail, sent_n=kept.n, **fields)
    outgoing.send(tx, kept, peer, exchange.expires_at)


def _matters(tx: Tx, system: str, exchange: Exchange, message: AnyMessage) -> bool:
    if isinstance(message, Question):
        return exchange.state in UNDECIDED
    if isinstance(message, Revocation):
        stands = standing(messages.of_exchange(tx, exchange.primary_system, exchange.id))
        return stands is not None and not stands.revoked.issuperset(message.users)
    type_ = type(message).__name__.lower()
    if exchange.state not in SENT_WHILE[type_]:
        return False
    stored = messages.of_exchange(tx, exchange.primary_system, exchange.id)
    said = [kept for kept in stored if (kept.sender, kept.type) == (system, type_)]
    if not isinstance(message, Answer):
        return not said
    last = last_question(stored)
    answered = {msgspec.json.decode(kept.body, type=Answer).answers for kept in said}
    return last is not None and message.answers == last.digest and last.digest not in answered
