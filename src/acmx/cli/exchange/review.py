"""`acmx review`: steps 11 and 12, decide over every user of a partner's request; or release a request of our own."""

from typing import Annotated

from cyclopts import Parameter

from acmx.cli.exchange.answer import rows_of
from acmx.cli.exchange.summaries import approvals_so_far, disclosed_rows
from acmx.cli.failures import DONE, FAILED, WrongUsageError, note
from acmx.cli.options import DEFAULTS, Id, Options, Users
from acmx.cli.terminal import ask, cell, err, facts, is_interactive, people, plain
from acmx.domain.acm1 import Exchange, Review, Reviewed, VerdictInput
from acmx.kinds import GIVING


def review(
    id_: Id,
    /,
    *,
    reason: Annotated[str, Parameter(help="Why; the partner sees it.")],
    approve: Annotated[
        bool, Parameter(help="Approve all users, or those of --user and decline the rest.")
    ] = False,
    decline: Annotated[
        bool, Parameter(help="Decline all users, or those of --user and approve the rest.")
    ] = False,
    note_: Annotated[
        str | None,
        Parameter(name="--note", help="For the people of your own system; it never leaves it."),
    ] = None,
    user: Users = None,
    yes: Annotated[bool, Parameter(help="Do not ask; needs --seen.")] = False,
    seen: Annotated[
        str | None,
        Parameter(help="The versions you decide on, EXCHANGE.CATALOGUE, as `acmx show` prints them."),
    ] = None,
    options: Options = DEFAULTS,
) -> int:
    """Decide over every user of a request: say what will be done, ask, and do it.

    A request of your own system that waits to be released is approved or declined whole, and so is what a partner
    gives unasked: approved, the server identities can be used here (acmx provision).

    For example:

        acmx review 01a3c5e7-9b2d-7f46-8a1b-3c5d7e9f1b2d --approve --reason "Mutual aid agreement 7"
    """
    _check(approve=approve, decline=decline, yes=yes, seen=seen)
    with options.client() as client:
        exchange = client.exchange(id_)
        verdicts = _verdicts(approve, user)
        _say(exchange, verdicts)
        if not yes and not ask("Decide like this?"):
            note("Nothing was decided.")
            return FAILED
        reviewed = client.review(id_, Review(verdicts, reason, seen or exchange.seen, note_))
    options.show(reviewed, lambda: _draw(reviewed))
    return DONE


def _check(*, approve: bool, decline: bool, yes: bool, seen: str | None) -> None:
    if approve == decline:
        raise WrongUsageError("Say either --approve or --decline.")
    if yes and not seen:
        raise WrongUsageError("--yes needs --seen EXCHANGE.CATALOGUE, as `acmx show` prints it.")
    if not yes and not is_interactive():
        raise WrongUsageError("Nobody is here to be asked: use --yes with --seen.")


def _verdicts(approve: bool, users: list[str] | None) -> tuple[VerdictInput, ...]:
    if not users:
        return (VerdictInput(approve),)
    return (VerdictInput(approve, tuple(users)), VerdictInput(not approve))


def _say(exchange: Exchange, verdicts: tuple[VerdictInput, ...]) -> None:
    if exchange.kind in GIVING:
        _say_given(exchange, approved=verdicts[0].approved)
        return
    named = sum(len(verdict.users or ()) for verdict in verdicts)
    counts = {v.approved: len(v.users) if v.users else exchange.user_count - named for v in verdicts}
    approved = counts.get(True, 0)
    err().print(
        facts(
            {
                "asked by": f"{exchange.asker} of {exchange.primary}",
                "purpose": exchange.purpose,
                "approved": f"{approved:,} of {people(exchange.user_count)}",
                "declined": people(counts.get(False, 0)),
                "discloses": _discloses(exchange, approved),
                "approvals so far": approvals_so_far(exchange),
                "incomplete": _incomplete(exchange) if approved else "",
            }
        )
    )


def _say_given(exchange: Exchange, *, approved: bool) -> None:
    """It is approved or declined whole, and shown with all values."""
    err().print(
        facts(
            {
                "given by": f"{exchange.asker} of {exchange.primary}",
                "given to": exchange.partner if exchange.role == "primary" else None,
                "purpose": exchange.purpose,
                "services": ", ".join(map(str, exchange.content.get("services", ()))),
                "approved" if approved else "declined": "all of it",
                "approvals so far": approvals_so_far(exchange),
                "incomplete": _incomplete(exchange) if approved else "",
            }
        )
    )
    err().print(cell(f"\n{rows_of(exchange.content)}"), soft_wrap=True, end="")


def _discloses(exchange: Exchange, approved: int) -> str | None:
    if exchange.role == "primary":
        return None
    return ", ".join(disclosed_rows(exchange)) if approved else "nothing"


def _incomplete(exchange: Exchange) -> str:
    return f"{', '.join(exchange.missing)} missing, and marked so" if exchange.missing else ""


def _draw(reviewed: Reviewed) -> None:
    if reviewed.needed is not None:
        print(
            plain(
                f"{reviewed.id}: {reviewed.approvals} of {reviewed.needed} approvals, nothing is decided yet."
            )
        )
        return
    outcome = reviewed.outcome.replace("-", " ")
    counts = f" {reviewed.approved:,} approved, {reviewed.declined:,} declined."
    whole = reviewed.approved + reviewed.declined == 0
    print(plain(f"{reviewed.id}: {outcome}.{'' if whole else counts}"))
