"""`acmx partner approvals`: how many people must approve."""

from typing import Annotated

from cyclopts import Parameter

from acmx.cli.exchange.summaries import approvals_in_words
from acmx.cli.failures import WrongUsageError
from acmx.cli.options import DEFAULTS, Options
from acmx.cli.partnership.partner_facts import Id
from acmx.cli.terminal import facts, out
from acmx.domain.acm1 import Approvals, Threshold


def approvals(
    id_: Id,
    /,
    *,
    kind: Annotated[str, Parameter(help="What is exchanged.")] = "server-identity",
    review: Annotated[
        int | None,
        Parameter(help="How many people must approve a user whom the partner asks for; 1 if not set."),
    ] = None,
    release: Annotated[
        int | None,
        Parameter(help="How many must release a request of ours before it leaves; 0, nobody, if not set."),
    ] = None,
    role: Annotated[
        list[str] | None,
        Parameter(consume_multiple=True, help="Each of them must have one of these roles besides reviewer."),
    ] = None,
    options: Options = DEFAULTS,
) -> None:
    """Show or set how many people must approve what is exchanged with a partner.

    What is set holds at once, also for what is open. For example:

        acmx partner approvals mc.police.example --review 2
    """
    roles = tuple(role or ())
    if roles and review is None and release is None:
        raise WrongUsageError("--role goes with --review or --release.")
    with options.client() as client:
        if review is None and release is None:
            partner = client.partner(id_)
        else:
            given = Approvals(kind=kind, review=_threshold(review, roles), release=_threshold(release, roles))
            partner = client.set_approvals(id_, given)
    options.show(
        partner, lambda: out().print(facts({"partner": partner.id, "approvals": approvals_in_words(partner)}))
    )


def _threshold(approvals: int | None, roles: tuple[str, ...]) -> Threshold | None:
    return None if approvals is None else Threshold(approvals, roles)
