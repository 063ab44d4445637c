"""How a command that did not do its work says why: on stderr, never as a traceback unless it is unexpected."""

import sys

from rich.text import Text

from acmx.cli.terminal import err, plain
from acmx.domain.errors import AcmxError, FaultyInput, NotAuthenticated, NotYet, VersionsDiffer

DONE, FAILED, WRONG_USAGE, NOT_YET, INTERRUPTED = 0, 1, 2, 3, 130
SHOWN_FAULTS = 20
_UNSHOWN = frozenset({"faults", "faults_total", "instance"})
_REMEDIES: dict[type[AcmxError], str] = {
    NotAuthenticated: "log on again: acmx login URL",
    VersionsDiffer: "read it again: acmx show ID",
}


class WrongUsageError(Exception):
    """The options do not fit together."""


def tell(error: AcmxError) -> int:
    """Print title, detail, faults, rule and whatever else the error carries; return the exit status."""
    faults = error.faults if isinstance(error, FaultyInput) else []
    detail = "" if error.detail == "; ".join(map(str, faults[:3])) else error.detail
    _line(f"{error.title()} {detail}".strip(), "bold red")
    for fault in faults[:SHOWN_FAULTS]:
        _line(f"  {fault}")
    total = error.members.get("faults_total", len(faults))
    if isinstance(total, int) and total > SHOWN_FAULTS:
        _line(f"  and {total - SHOWN_FAULTS:,} more")
    for name, value in error.members.items():
        if name not in _UNSHOWN and isinstance(value, str | int):
            _line(f"  {name.replace('_', ' ')}: {value}")
    if remedy := _REMEDIES.get(type(error)):
        _line(f"  {remedy}")
    return NOT_YET if isinstance(error, NotYet) else FAILED


def tell_usage(error: WrongUsageError) -> int:
    _line(f"{error}", "bold red")
    return WRONG_USAGE


def note(text: str) -> None:
    """A line for people, beside the result."""
    _line(text)


def _line(text: str, style: str = "") -> None:
    sys.stdout.flush()
    err().print(Text(plain(text), style), soft_wrap=True)
