"""Asking back: `acmx ask` at the partner MC system, `acmx answer` at the primary."""

from typing import Annotated

from cyclopts import Parameter

from acmx.cli.options import DEFAULTS, Id, Options
from acmx.cli.terminal import plain

Text = Annotated[str, Parameter(help="In your words; the other system sees them.")]


def ask(id_: Id, /, *, text: Text, options: Options = DEFAULTS) -> None:
    """Ask the primary system about its request. It may still be decided, and it still expires.

    For example:

        acmx ask 01a3c5e7-9b2d-7f46-8a1b-3c5d7e9f1b2d --text "Which vehicles?"
    """
    with options.client() as client:
        accepted = client.ask(id_, text)
    options.show(accepted, lambda: print(plain(f"{accepted.id}: asked.")))


def answer(id_: Id, /, *, text: Text, options: Options = DEFAULTS) -> None:
    """Answer the partner's last question, as `acmx show` prints it.

    For example:

        acmx answer 01a3c5e7-9b2d-7f46-8a1b-3c5d7e9f1b2d --text "Two boats"
    """
    with options.client() as client:
        accepted = client.answer(id_, text)
    options.show(accepted, lambda: print(plain(f"{accepted.id}: answered.")))
