"""The questions of the partner system and the answers of the primary, as they stand in an exchange."""

from collections.abc import Iterable

import msgspec

from acmx.domain.acm1 import Remark
from acmx.domain.messages import Answer, Question
from acmx.storage.messages import Stored


def remarks(stored: Iterable[Stored]) -> tuple[Remark, ...]:
    """In the order in which they came to be known here."""
    return tuple(
        _remark(message) for message in stored if message.type in ("question", "answer") and message.body
    )


def last_question(stored: Iterable[Stored]) -> Stored | None:
    """The one that the partner system asked last."""
    questions = [message for message in stored if message.type == "question"]
    return max(questions, key=lambda message: message.n, default=None)


def said_last(stored: Iterable[Stored], type_: str, person: str, text: str) -> bool:
    """Whether nothing was said since this person asked or answered with just these words."""
    last = remarks(stored)[-1:]
    return any((remark.type, remark.person, remark.text) == (type_, person, text) for remark in last)


def _remark(stored: Stored) -> Remark:
    if stored.type == "question":
        question = msgspec.json.decode(stored.body, type=Question)
        return Remark("question", question.created_at, question.handler.mc_service_id, question.text)
    answer = msgspec.json.decode(stored.body, type=Answer)
    return Remark("answer", answer.created_at, answer.asker.mc_service_id, answer.text)
