"""Which questions of an exchange wait for an answer, as its conversation is shown."""

from collections.abc import Sequence

from acmx.domain.acm1 import Remark


def unanswered(conversation: Sequence[Remark]) -> list[Remark]:
    """In the order in which they were asked."""
    answered = {remark.question for remark in conversation if remark.type == "answer"}
    return [
        remark for remark in conversation if remark.type == "question" and remark.question not in answered
    ]
