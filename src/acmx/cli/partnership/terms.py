"""`acmx partner set`: this system's terms for a partner."""

from typing import Annotated, Literal

import msgspec
from cyclopts import Parameter

from acmx.cli.failures import WrongUsageError
from acmx.cli.options import DEFAULTS, Options
from acmx.cli.partnership.partner_facts import Id, show_partner

ALL, NO_KIND = ["all"], ["none"]


def set_terms(
    id_: Id,
    /,
    *,
    kinds: Annotated[
        list[str] | None,
        Parameter(help="What is exchanged with it: each kind by name, or `none`.", consume_multiple=True),
    ] = None,
    askers: Annotated[
        list[str] | None,
        Parameter(
            help="Who here may ask it: MC service IDs and roles; `all` for whoever may ask.",
            consume_multiple=True,
        ),
    ] = None,
    max_open: Annotated[
        int | None, Parameter(help="How many of its requests may wait for a decision.")
    ] = None,
    max_users: Annotated[int | None, Parameter(help="How many users one of its requests may name.")] = None,
    max_per_hour: Annotated[
        int | None, Parameter(help="How many of its requests are taken in an hour.")
    ] = None,
    reprovision: Annotated[
        Literal["yes", "no"] | None,
        Parameter(help="Whether the own CMS follows by itself what the partner changes or takes back."),
    ] = None,
    note: Annotated[str | None, Parameter(help="For the people here: agreement, whom to call.")] = None,
    options: Options = DEFAULTS,
) -> None:
    """Change the terms for a partner: what is exchanged, who may ask it, and how much is taken from it.

    For example:

        acmx partner set mc.police.example --max-users 50 --askers sip:silva@mc.fire.example
    """
    changes = {
        "kinds": listed(kinds, NO_KIND),
        "askers": listed(askers, ALL),
        "max_open": max_open,
        "max_users": max_users,
        "max_per_hour": max_per_hour,
        "reprovision": None if reprovision is None else reprovision == "yes",
        "note": note,
    }
    given = {name: value for name, value in changes.items() if value is not None}
    if not given:
        raise WrongUsageError("Say what is to be changed.")
    with options.client() as client:
        terms = client.partner(id_).terms
        show_partner(client.set_terms(id_, msgspec.structs.replace(terms, **given)), options)


def listed(given: list[str] | None, empty: list[str]) -> tuple[str, ...] | None:
    """What was listed: nothing where that is the word `empty`; None where nobody said."""
    if given is None:
        return None
    return () if given == empty else tuple(given)
