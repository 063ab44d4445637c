"""Which event a message of this system stands for in the exchange as it is now."""

from typing import Any

from acmx.domain.exchange import Event, transition
from acmx.domain.messages import (
    Answer,
    AnyMessage,
    Automatic,
    Question,
    Response,
    Revocation,
    Update,
    Withdrawal,
)
from acmx.flows.exchange.conversation import last_question
from acmx.flows.exchange.grant import standing
from acmx.flows.exchange.response import granted_by
from acmx.flows.exchange.revoke import ended
from acmx.storage.engine import Tx
from acmx.storage.exchange import messages
from acmx.storage.exchange.exchanges import Exchange


def as_minted(tx: Tx, exchange: Exchange, message: AnyMessage) -> tuple[Event, dict[str, Any]]:
    """The event, and the fields it sets; RESTORED, or RECONCILED of a response, where the exchange has gone on."""
    if isinstance(message, Response):
        fields = granted_by(message)
        decided = Event.DECIDED_BY_RULE if isinstance(message.handler, Automatic) else Event.REVIEWED
        minted = Event.EXPIRED if message.outcome == "expired" else decided
        if transition(exchange.role, exchange.state, minted):
            return minted, fields
        return Event.RECONCILED, fields
    if isinstance(message, Update):
        return Event.UPDATE_SENT, {}
    if isinstance(message, Revocation):
        stands = standing(messages.of_exchange(tx, exchange.primary_system, exchange.id))
        left = stands.left_without(message.users) if stands else 0
        return Event.REVOKED, ended(left)
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
