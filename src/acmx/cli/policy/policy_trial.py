"""`acmx policy try`: what another policy would have said."""

from collections import Counter
from collections.abc import Iterator
from typing import Annotated

from cyclopts import Parameter
from cyclopts.types import PositiveInt

from acmx.cli.failures import WrongUsageError, note
from acmx.cli.options import DEFAULTS, Options
from acmx.cli.policy.policy import File, read
from acmx.cli.terminal import cell, out, plain, table, time
from acmx.domain.acm1 import TrialPage, Tried

WOULD = {
    "approve": "approved",
    "decline": "declined",
    "person": "left to a person",
    None: "not judged: its facts were not kept",
}
STRIKING = {("approved", "decline"), ("partly-approved", "decline"), ("declined", "approve")}


def try_out(
    file: File,
    /,
    *,
    against: Annotated[str | None, Parameter(metavar="ID", help="One exchange.")] = None,
    last: Annotated[PositiveInt | None, Parameter(help="That many requests that arrived last.")] = None,
    options: Options = DEFAULTS,
) -> None:
    """Try a policy on requests that have arrived: what would have happened. Nothing changes.

    For example:

        acmx policy try ours.cedar --last 100
    """
    if (against is None) == (last is None):
        raise WrongUsageError("Give either --against ID or --last N.")
    text = read(file)
    with options.client() as client:
        if last is not None:
            items = client.try_policy_on_last(text, last)
        else:
            items = client.try_policy(text, against=against).items
    options.show(TrialPage(items), lambda: _draw(items))
    if last is not None and len(items) < last:
        note(f"There are no more than {len(items):,} that you may see.")


def happened(tried: Tried) -> str:
    """In words, such as «declined by a person»."""
    if tried.outcome is None:
        return tried.state.replace("_", " ")
    by = {"person": "a person", "policy": "policy", "clock": "the clock"}
    return f"{tried.outcome} by {by[tried.by]}" if tried.by in by else tried.outcome


def _draw(items: list[Tried]) -> None:
    rows = table("exchange", "what happened", "would have been, and by")
    rows.columns[0].no_wrap = True
    for tried in items:
        style = "bold red" if (tried.outcome, tried.would) in STRIKING else ""
        rows.add_row(
            cell(f"{tried.id}\n  {time(tried.at)}"),
            cell(happened(tried)),
            cell("\n".join((WOULD[tried.would], *_by(tried))), style),
        )
    out().print(rows)
    out().print(f"\n{len(items):,} {'request' if len(items) == 1 else 'requests'}:")
    for (what, would), count in sorted(Counter((happened(t), WOULD[t.would]) for t in items).items()):
        out().print(plain(f"  {count:,} {what} -> {would}"), soft_wrap=True)


def _by(tried: Tried) -> Iterator[str]:
    yield from tried.rules
    yield from (f"forbidden: {rule}" for rule in tried.forbidden)
    yield from (f"failed: {failure.rule}: {failure.error}" for failure in tried.failed)
