"""The journal as a table, and `acmx audit`."""

from collections.abc import Iterable
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from acmx.cli.options import DEFAULTS, FIRST_PAGE, Options, Paging
from acmx.cli.terminal import cell, out, table, time
from acmx.domain.acm1 import JournalEntry

LONGEST_DETAIL = 24
"""Digests are cut to this; `--json` has them whole."""
BY = ("by", "by_issuer")
"""What names the account beside the actor."""


def audit(
    *,
    event: Annotated[str | None, Parameter(help="Only this event.")] = None,
    actor: Annotated[str | None, Parameter(help="Only what this person, system or part did.")] = None,
    exchange: Annotated[str | None, Parameter(help="Only this exchange.")] = None,
    paging: Paging = FIRST_PAGE,
    options: Options = DEFAULTS,
) -> None:
    """Show the journal of this MC system, newest first.

    For example:

        acmx audit --limit 50

        acmx audit --event policy-set
    """
    with options.client() as client:
        page = client.audit(paging.after, paging.limit, event=event, actor=actor, exchange=exchange)
    options.show(page, lambda: out().print(journal_table(page.items, with_exchange=True)))
    paging.tell_more("audit", page.next, event=event, actor=actor, exchange=exchange)


def journal_table(entries: Iterable[JournalEntry], *, with_exchange: bool) -> Table:
    rows = table("time", "event", "who, and what")
    for entry in entries:
        by = " of ".join(str(entry.detail[name]) for name in BY if name in entry.detail)
        what = [f"{entry.actor} ({by})" if by else entry.actor]
        if with_exchange and entry.exchange:
            what.append(f"exchange {entry.exchange}")
        what += [
            f"{name}: {_short(value)}"
            for name, value in entry.detail.items()
            if not name.startswith("step") and name not in BY
        ]
        rows.add_row(cell(time(entry.at)), cell(entry.event), cell("\n".join(what)))
    return rows


def _short(value: object) -> str:
    if isinstance(value, dict):
        return f"{value['decision']}, {value['why']}, version {value['version']} (acmx policy explain)"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    text = str(value)
    is_digest = len(text) == 64 and set(text) <= set("0123456789abcdef")
    return f"{text[:LONGEST_DETAIL]}..." if is_digest else text
