"""`acmx news`: what happened in what concerns you. `acmx notices`: who was told what, and what could not be sent."""

from collections.abc import Iterable

from rich.table import Table

from acmx.cli.options import DEFAULTS, FIRST_PAGE, Options, Paging
from acmx.cli.terminal import cell, out, table, time
from acmx.domain.acm1 import Notice, Telling


def notices(*, paging: Paging = FIRST_PAGE, options: Options = DEFAULTS) -> None:
    """Show who was told what, when and by which channel, and what failed; newest first.

    For example:

        acmx notices --limit 20
    """
    with options.client() as client:
        page = client.notices(paging.after, paging.limit)
    options.show(page, lambda: out().print(_notice_table(page.items)))
    paging.tell_more("notices", page.next)


def news(*, paging: Paging = FIRST_PAGE, options: Options = DEFAULTS) -> None:
    """Show what happened lately in what concerns you, newest first; what waits for you: acmx pending.

    For example:

        acmx news --limit 20
    """
    with options.client() as client:
        page = client.news(paging.after, paging.limit)
    options.show(page, lambda: out().print(_notice_table(page.items)))
    paging.tell_more("news", page.next)


def _notice_table(found: Iterable[Notice]) -> Table:
    rows = table("time", "event, exchange, and who was told")
    for notice in found:
        event = f"{notice.event}, for {notice.person or notice.audience}"
        told = [_in_words(telling) for telling in notice.tellings]
        rows.add_row(
            cell(time(notice.at)), cell("\n".join([event, notice.exchange or notice.primary, *told]))
        )
    return rows


def _in_words(telling: Telling) -> str:
    when = time(telling.sent_at or telling.next_attempt_at)
    return " ".join(
        filter(None, (telling.state, when, telling.channel, telling.recipient, telling.last_error))
    )
