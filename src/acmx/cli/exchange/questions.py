"""Asking back: `acmx ask` at the partner MC system, `acmx answer` at the primary."""

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from acmx.cli.failures import WrongUsageError
from acmx.cli.options import DEFAULTS, Id, Options
from acmx.cli.terminal import plain
from acmx.domain.acm1 import Remark
from acmx.domain.errors import NotNow
from acmx.domain.questions import unanswered

Text = Annotated[str, Parameter(help="In your words; the other system sees them.")]


def ask(id_: Id, /, *, text: Text, options: Options = DEFAULTS) -> None:
    """Ask the primary system about its request. It may still be decided, and it still expires.

    For example:

        acmx ask 01a3c5e7-9b2d-7f46-8a1b-3c5d7e9f1b2d --text "Which vehicles?"
    """
    with options.client() as client:
        accepted = client.ask(id_, text)
    options.show(accepted, lambda: print(plain(f"{accepted.id}: asked.")))


def answer(
    id_: Id,
    /,
    *,
    text: Text,
    question: Annotated[
        int | None, Parameter(help="Its number, as `acmx show` prints it; needed where several are open.")
    ] = None,
    options: Options = DEFAULTS,
) -> None:
    """Answer a question of the partner, as `acmx show` prints it; says which one.

    For example:

        acmx answer 01a3c5e7-9b2d-7f46-8a1b-3c5d7e9f1b2d --text "Two boats"
    """
    with options.client() as client:
        conversation = client.exchange(id_).conversation
        number = _meant(conversation, text) if question is None else question
        accepted = client.answer(id_, text, number)
    asked = next((r.text for r in conversation if (r.type, r.question) == ("question", number)), "")
    options.show(accepted, lambda: print(plain(f"{accepted.id}: question {number} is answered: {asked}")))


def _meant(conversation: Sequence[Remark], text: str) -> int:
    """The only open question; where none is, the one that was answered with just these words.

    Raises WrongUsageError where it is not clear which one is meant, NotNow where there is none.
    """
    said = [remark.question for remark in conversation if (remark.type, remark.text) == ("answer", text)]
    waiting = unanswered(conversation)
    if len(waiting) == 1 and not said:
        return waiting[0].question or 0
    if waiting:
        known = "\n".join(f"  --question {remark.question}: {remark.text}" for remark in waiting)
        before = f"Question {said[-1]} was answered with just these words. " if said else ""
        raise WrongUsageError(f"{before}Say which question you answer:\n{known}")
    if said and said[-1] is not None:
        return said[-1]
    raise NotNow("no question of the partner is open")
