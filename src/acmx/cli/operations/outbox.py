"""`acmx outbox`: what waits for partners, and sending it again now."""

from typing import Annotated

from cyclopts import Parameter

from acmx.cli.failures import WrongUsageError
from acmx.cli.options import DEFAULTS, FIRST_PAGE, Options, Paging
from acmx.cli.terminal import cell, out, plain, table, time


def show(
    *,
    partner: Annotated[str | None, Parameter(help="Only what waits for this partner.")] = None,
    paging: Paging = FIRST_PAGE,
    options: Options = DEFAULTS,
) -> None:
    """List the messages that wait for partners, oldest first.

    For example:

        acmx outbox
    """
    with options.client() as client:
        page = client.outbox(paging.after, paging.limit, partner)
    waiting = table("exchange, and partner", "how it goes")
    waiting.columns[0].no_wrap = True
    for queued in page.items:
        lines = [f"{queued.type}, {queued.attempts} attempts since {time(queued.queued_at)}"]
        if queued.last_attempt_at:
            lines.append(f"last {time(queued.last_attempt_at)}")
        lines.append("given up" if queued.undeliverable else f"next {time(queued.next_attempt_at)}")
        how = cell("\n".join(lines))
        if queued.last_error:
            how.append_text(cell(f"\n{queued.last_error}", "red"))
        waiting.add_row(cell(f"{queued.exchange}\n  {queued.partner}"), how)
    options.show(page, lambda: out().print(waiting if page.items else cell("Nothing waits.")))
    paging.tell_more("outbox", page.next, partner=partner)


def retry(
    id_: Annotated[str | None, Parameter(name="ID", help="Only what waits of this exchange.")] = None,
    /,
    *,
    partner: Annotated[str | None, Parameter(help="Only what waits for this partner.")] = None,
    options: Options = DEFAULTS,
) -> None:
    """Send again now what waits, however long it was to wait.

    For example:

        acmx outbox retry --partner mc.police.example
    """
    if id_ and partner:
        raise WrongUsageError("Name an exchange or a partner, not both.")
    with options.client() as client:
        retried = client.retry_now(partner=partner, exchange=id_)
    words = "1 message is" if retried.messages == 1 else f"{retried.messages:,} messages are"
    to = plain(", ".join(retried.partners)) or "nobody"
    options.show(retried, lambda: print(f"{words} sent again to {to}."))
