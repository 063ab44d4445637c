"""`acmx health` and `acmx clock`: how one's own server is doing."""

from rich.text import Text

from acmx.cli.failures import DONE, FAILED
from acmx.cli.options import DEFAULTS, Options
from acmx.cli.terminal import cell, out, plain, table, time
from acmx.domain.acm1 import ClockStanding, Health


def health(*, options: Options = DEFAULTS) -> int:
    """Show whether every part of the server goes on. Ends with status 1 if one does not.

    For example:

        acmx health
    """
    with options.client() as client:
        found = client.health()
    options.show(found, lambda: _draw(found))
    return DONE if found.ok else FAILED


def confirm(*, options: Options = DEFAULTS) -> None:
    """Confirm that the server's clock is right, after it has jumped: requests and grants expire again.

    For example:

        acmx clock confirm
    """
    with options.client() as client:
        clock = client.confirm_clock()
    options.show(clock, lambda: print(plain(_clock(clock))))


def _draw(found: Health) -> None:
    parts = table("part", "", "")
    for part in found.components:
        name = f"{part.name} to {part.of}" if part.of else part.name
        parts.add_row(cell(name), _mark(part.ok), cell(part.trouble or ""))
    for expiring in found.expiring:
        parts.add_row(cell(expiring.name), cell(expiring.status, "bold red"), cell(expiring.text))
    parts.add_row(cell("clock"), _mark(found.clock.held_since is None), cell(_clock(found.clock)))
    out().print(parts)


def _mark(ok: bool) -> Text:
    return cell("ok", "green") if ok else cell("failed", "bold red")


def _clock(clock: ClockStanding) -> str:
    if clock.held_since is None:
        return f"{time(clock.now)}"
    return (
        f"{time(clock.now)}; in doubt since {time(clock.held_since)}: {clock.reason}. Nothing expires until: "
        "acmx clock confirm"
    )
