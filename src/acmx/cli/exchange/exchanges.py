"""Exchanges: `acmx requests`, `show`, `pending`, `fetch`, `withdraw`, `watch`."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.text import Text

from acmx.cli.evidence.journal import journal_table
from acmx.cli.exchange.answer import draw_answer
from acmx.cli.exchange.diagram import diagram, pens_for
from acmx.cli.exchange.summaries import exchange_facts, links, summary_table, waits_for, whom
from acmx.cli.failures import note
from acmx.cli.files import write
from acmx.cli.options import DEFAULTS, FIRST_PAGE, Id, Options, Paging
from acmx.cli.session import profiles
from acmx.cli.session.renewal import client_of
from acmx.cli.terminal import cell, out, plain, print_json
from acmx.domain.acm1 import Exchange, Pending, Summary
from acmx.domain.errors import AcmxError

STYLES = {"done": "green", "waiting": "yellow", "failed": "red", "": "bold"}


def requests(
    *,
    state: Annotated[str | None, Parameter(help="Only those in this state.")] = None,
    partner: Annotated[str | None, Parameter(help="Only those with this MC system.")] = None,
    paging: Paging = FIRST_PAGE,
    options: Options = DEFAULTS,
) -> None:
    """List the exchanges that you may see, newest first.

    For example:

        acmx requests --state answered
    """
    with options.client() as client:
        page = client.requests(paging.after, paging.limit, state, partner)
    options.show(page, lambda: out().print(summary_table(page.items)))
    paging.tell_more("requests", page.next, state=state, partner=partner)


def show(id_: Id, /, *, options: Options = DEFAULTS) -> None:
    """Draw an exchange as the sequence diagram of the procedure, with what it waits for and its journal.

    For example:

        acmx show 01a3c5e7-9b2d-7f46-8a1b-3c5d7e9f1b2d
    """
    profile = profiles.load(options.profile)
    with client_of(profile) as client:
        exchange = client.exchange(id_)
    options.show(exchange, lambda: _draw(exchange, profile.session.system))


def pending(*, options: Options = DEFAULTS) -> None:
    """List what waits for you: requests to decide, answers to fetch, questions to answer, own requests to release.

    For example:

        acmx pending
    """
    with options.client() as client:
        waiting = client.all_pending()

    def draw() -> None:
        for what, summaries in _lists(waiting):
            title = f"To {what}"
            out().print(Text(f"{title}: {len(summaries) or 'nothing'}", "bold"))
            if summaries:
                out().print(summary_table(summaries))

    options.show(waiting, draw)


def fetch(
    id_: Id,
    /,
    *,
    file: Annotated[
        Path | None, Parameter(name=("--output", "-o"), help="Write the answer here, as JSON.")
    ] = None,
    options: Options = DEFAULTS,
) -> None:
    """Fetch the partner's answer; it may be fetched again. The exit status is 3 while there is none.

    For example:

        acmx fetch 01a3c5e7-9b2d-7f46-8a1b-3c5d7e9f1b2d -o answer.json
    """
    with options.client() as client:
        answer = client.retrieve(id_)
    if file:
        write(file, msgspec.json.format(msgspec.json.encode(answer), indent=2) + b"\n")
    options.show(answer, lambda: draw_answer(answer))


def withdraw(
    id_: Id,
    /,
    *,
    reason: Annotated[str | None, Parameter(help="Why; the partner sees it.")] = None,
    options: Options = DEFAULTS,
) -> None:
    """Take a request back. If the partner has decided before it hears of that, its answer stands.

    For example:

        acmx withdraw 01a3c5e7-9b2d-7f46-8a1b-3c5d7e9f1b2d
    """
    with options.client() as client:
        accepted = client.withdraw(id_, reason)
    options.show(accepted, lambda: print(plain(f"{accepted.id} is {accepted.state}.")))


def watch(*, options: Options = DEFAULTS) -> None:
    """Say what waits for you as soon as it does, until Ctrl-C.

    For example:

        acmx watch
    """
    said: set[tuple[str, str]] = set()
    with options.client() as client:
        note("Watching; Ctrl-C ends it.")
        try:
            for waiting in client.watch(client.all_pending, tell_lost):
                if options.json:
                    print_json(waiting, indent=0)
                else:
                    said = _say_new(waiting, said)
        except KeyboardInterrupt:
            note("No longer watching.")


def tell_lost(lost: AcmxError, seconds: float) -> None:
    note(f"{lost} Trying again in {seconds:.0f} s.")


def _lists(waiting: Pending) -> list[tuple[str, list[Summary]]]:
    return [
        ("decide", waiting.to_decide),
        ("fetch", waiting.to_fetch),
        ("answer", waiting.to_answer),
        ("release", waiting.to_release),
    ]


def _say_new(waiting: Pending, said: set[tuple[str, str]]) -> set[tuple[str, str]]:
    now: dict[tuple[str, str], Summary] = {
        (what, summary.id): summary for what, summaries in _lists(waiting) for summary in summaries
    }
    for (what, id_), summary in now.items():
        if (what, id_) not in said:
            print(plain(f"to {what}  {id_}  {whom(summary)}  {summary.purpose}"), flush=True)
    return set(now)


def _draw(exchange: Exchange, here: str) -> None:
    out().print(exchange_facts(exchange))
    out().print()
    for text, status in diagram(exchange, here, pens_for(sys.stdout.encoding)):
        out().print(Text(plain(text), STYLES.get(status, "dim")), no_wrap=True, crop=False)
    out().print()
    out().print(cell(f"Waits for: {waits_for(exchange)}", "bold"))
    for line in links(exchange.waiting):
        out().print(cell(line))
    out().print()
    out().print(journal_table(exchange.journal, with_exchange=False))
