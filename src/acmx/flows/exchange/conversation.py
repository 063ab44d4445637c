"""The questions of the partner system and the answers of the primary, as they stand in an exchange."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec import Struct

from acmx.domain.acm1 import Remark
from acmx.domain.messages import Answer, Question
from acmx.storage.exchange.messages import Stored


class Asked(Struct, frozen=True):
    """A question, and its answers in the order of `n`."""

    stored: Stored
    question: Question
    answers: tuple[Answer, ...]


def asked(stored: Iterable[Stored]) -> list[Asked]:
    """Every question whose body is here, in the order in which they were asked."""
    kept = [message for message in stored if message.body]
    answers = list(_answers(kept))
    questions = sorted((m for m in kept if m.type == "question"), key=lambda message: message.n)
    return [
        Asked(
            message,
            msgspec.json.decode(message.body, type=Question),
            tuple(answer for answer in answers if answer.answers == message.digest),
        )
        for message in questions
    ]


def remarks(stored: Sequence[Stored]) -> tuple[Remark, ...]:
    """Each answer at its question, whatever came in between; at the end those to a question that is not here."""
    conversation = asked(stored)
    here = {one.stored.digest for one in conversation}
    said = [
        remark
        for one in conversation
        for remark in (
            Remark(
                "question",
                one.question.created_at,
                one.question.handler.mc_service_id,
                one.question.text,
                one.stored.n,
            ),
            *(_answered(answer, one.stored.n) for answer in one.answers),
        )
    ]
    lost = (_answered(answer, None) for answer in _answers(stored) if answer.answers not in here)
    return (*said, *lost)


def last_question(stored: Iterable[Stored]) -> Stored | None:
    """The one that the partner system asked last."""
    questions = [message for message in stored if message.type == "question"]
    return max(questions, key=lambda message: message.n, default=None)


def asked_last(stored: Iterable[Stored], person: str, text: str) -> bool:
    """Whether nothing was said since this person asked just this."""
    said = [message for message in stored if message.type in ("question", "answer") and message.body]
    if not said or said[-1].type != "question":
        return False
    question = msgspec.json.decode(said[-1].body, type=Question)
    return (question.handler.mc_service_id, question.text) == (person, text)


def _answers(stored: Iterable[Stored]) -> Iterator[Answer]:
    found = [message for message in stored if message.type == "answer" and message.body]
    return (
        msgspec.json.decode(message.body, type=Answer)
        for message in sorted(found, key=lambda message: message.n)
    )


def _answered(answer: Answer, question: int | None) -> Remark:
    return Remark("answer", answer.created_at, answer.asker.mc_service_id, answer.text, question)
